#include "control/predecessor_batch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <libdeflate.h>

namespace beaconry {
namespace {

using testing::HasSubstr;

Result<PredecessorBatch> decode(std::string json, PredecessorLimits limits = {}) {
  return decode_predecessor_batch(json, limits);
}

std::string event(const std::string& more = {}) {
  return R"({"timestamp_ns":1763700000123456789,"timestamp_utc":"2025-11-21T04:40:00.123456+00:00Z",)"
         R"("src_ip":"10.0.0.5","dst_ip":"203.0.113.9","src_port":51000,"dst_port":443,)"
         R"("packet_size":74,"protocol":6,"protocol_name":"TCP","tcp_flags":2,"direction":1,)"
         R"("node_id":"n1","connection_key":"k")" +
         more + "}";
}

std::string batch(const std::string& events) {
  return R"({"batch_id":"b-1","node_id":"n1","events":[)" + events +
         R"(],"data_plane_stats":{"events_dropped_ebpf":3,"events_dropped_overflow":4}})";
}

TEST(PredecessorBatch, ReadsWhatTheDataPlanePosts) {
  const auto read = decode(batch(event() + "," + event()));
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(read->batch_id, "b-1");
  EXPECT_EQ(read->node_id, "n1");
  EXPECT_EQ(read->dropped_ebpf, 3U);
  EXPECT_EQ(read->dropped_overflow, 4U);
  EXPECT_EQ(read->invalid_events, 0U);
  ASSERT_EQ(read->events.size(), 2U);
  const PacketEvent& e = read->events[0];
  EXPECT_EQ(e.time, Timestamp{Duration{1'763'700'000'123'456}});
  EXPECT_EQ(e.source.to_string(), "10.0.0.5");
  EXPECT_EQ(e.destination.to_string(), "203.0.113.9");
  EXPECT_EQ(e.source_port, 51000);
  EXPECT_EQ(e.destination_port, 443);
  EXPECT_EQ(e.size, 74U);
  EXPECT_EQ(e.protocol, Protocol::tcp);
  EXPECT_EQ(e.tcp_flags, 2);
}

TEST(PredecessorBatch, TakesTimesInBothSpellingsWhereTheClockCountsFromTheMachinesStart) {
  for (const char* utc : {"2025-11-21T04:40:00.5Z", "2025-11-21T04:40:00.5+00:00Z",
                          "2025-11-21T04:40:00.500000+00:00", "2025-11-21T05:40:00.5+01:00"}) {
    const auto read = decode(batch(std::string(R"({"timestamp_ns":86400000000000,)"
                                               R"("timestamp_utc":")") +
                                   utc +
                                   R"(","src_ip":"10.0.0.5","dst_ip":"10.0.0.6","dst_port":53,)"
                                   R"("protocol_name":"UDP"})"));
    ASSERT_TRUE(read) << read.error().message();
    ASSERT_EQ(read->events.size(), 1U) << utc << read->first_invalid;
    EXPECT_EQ(to_rfc3339(read->events[0].time), "2025-11-21T04:40:00.500Z") << utc;
    EXPECT_EQ(read->events[0].protocol, Protocol::udp);
  }
}

TEST(PredecessorBatch, SkipsAndCountsSingleEventsThatAreNone) {
  struct Case {
    const char *from, *to, *words;
  };
  for (const Case& c :
       {Case{"\"10.0.0.5\"", "\"300.1.1.1\"", "src_ip '300.1.1.1'"},
        Case{"\"203.0.113.9\"", "null", "dst_ip"}, Case{"443", "70000", "port"},
        Case{"443", "-1", "dst_port"},
        Case{"\"protocol\":6,\"protocol_name\":\"TCP\"", "\"protocol\":900", "protocol"}}) {
    std::string bad = event();
    bad.replace(bad.find(c.from), std::string(c.from).size(), c.to);
    const auto read = decode(batch(event() + "," + bad + "," + event() + ",7,[1,[2]],\"x\""));
    ASSERT_TRUE(read) << read.error().message();
    EXPECT_EQ(read->events.size(), 2U);
    EXPECT_EQ(read->invalid_events, 4U);
    EXPECT_THAT(read->first_invalid, HasSubstr("events[1] "));
    EXPECT_THAT(read->first_invalid, HasSubstr(c.words));
  }
}

TEST(PredecessorBatch, PassesOverWhatItDoesNotKnow) {
  const auto read = decode(
      R"({"version":{"a":[{"events":[1]},2]},"events":[)" +
      event(R"(,"extra":{"src_ip":"1.1.1.1","deep":[{"dst_ip":"x"}]},"more":[1,"a"])") +
      R"(],"batch_id":17,"tags":["events"],"data_plane_stats":{"other":{"events_dropped_ebpf":9}}})");
  ASSERT_TRUE(read) << read.error().message();
  ASSERT_EQ(read->events.size(), 1U) << read->first_invalid;
  EXPECT_EQ(read->events[0].source.to_string(), "10.0.0.5");
  EXPECT_EQ(read->batch_id, "17");
  EXPECT_FALSE(read->batch_id_is_text);
  EXPECT_EQ(read->node_id, "");
  EXPECT_EQ(read->dropped_ebpf, 0U);
}

TEST(PredecessorBatch, RefusesTheWholeBatchWithThePlaceWhereItBroke) {
  struct Case {
    std::string json;
    const char* words;
  };
  for (const Case& c :
       {Case{"", "byte 0"}, Case{"[]", "a batch is an object"}, Case{"7", "a batch is an object"},
        Case{"{}", "'events' is missing"}, Case{R"({"events":{}})", "'events' is not a list"},
        Case{R"({"events":null})", "'events' is not a list"},
        Case{R"({"events":[],"node_id":["a"]})", "are texts"},
        Case{R"({"events":[]} x)", "byte 14"},
        Case{batch(event()).substr(0, 100), "not JSON at byte 1"},
        Case{R"({"events":[],"batch_id":")" + std::string(256, 'b') + "\"}", "longer than 255"},
        Case{std::string(R"({"events":[]})") + '\0' + "x", "zero byte"},
        Case{R"({"x":)" + std::string(100'000, '['), "nested too deeply"}}) {
    const auto read = decode(c.json);
    ASSERT_FALSE(read) << c.json;
    EXPECT_EQ(read.error().kind, ErrorKind::malformed);
    EXPECT_THAT(read.error().message(), HasSubstr(c.words));
  }
}

TEST(PredecessorBatch, HoldsItsLimits) {
  PredecessorLimits limits;
  limits.most_events = 1;
  EXPECT_FALSE(decode(batch(event() + "," + event()), limits));
  EXPECT_TRUE(decode(batch(event()), limits));
  limits.most_bytes = 10;
  EXPECT_EQ(decode(batch(event()), limits).error().kind, ErrorKind::limit);
}

TEST(PredecessorBatch, DigestTellsTheSameBatchFromAnotherOfTheSameId) {
  const auto first = decode(batch(event()));
  const auto again = decode(" " + batch(event()));
  std::string later = event();
  later.replace(later.find("123456789"), 9, "223456789");
  EXPECT_EQ(first->digest(), again->digest());
  EXPECT_NE(first->digest(), decode(batch(later))->digest());
  EXPECT_NE(first->digest(), decode(batch(event() + "," + event()))->digest());
}

std::string gzip(std::string_view text) {
  libdeflate_compressor* compressor = libdeflate_alloc_compressor(6);
  std::string out(libdeflate_gzip_compress_bound(compressor, text.size()), '\0');
  out.resize(
      libdeflate_gzip_compress(compressor, text.data(), text.size(), out.data(), out.size()));
  libdeflate_free_compressor(compressor);
  return out;
}

TEST(Gunzip, UndoesAllMembersWithinItsBound) {
  const std::string text(100'000, 'a');
  EXPECT_EQ(gunzip(gzip(text) + gzip("b"), 1 << 20).value(), text + "b");
  EXPECT_EQ(gunzip(gzip(text), text.size()).value(), text);
  EXPECT_EQ(gunzip(gzip(text), text.size() - 1).error().kind, ErrorKind::limit);
  EXPECT_EQ(gunzip(gzip(text).substr(0, 50), 1 << 20).error().kind, ErrorKind::malformed);
  EXPECT_EQ(gunzip("no gzip at all", 1 << 20).error().kind, ErrorKind::malformed);
}

}  // namespace
}  // namespace beaconry
