#include "uplink/observation_batch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <uplink.pb.h>  // generated
#include <zstd.h>

#include "ping/test_pings.h"

namespace beaconry {
namespace {

using testing::HasSubstr;

Observation sample() {
  Observation seen;
  seen.received = *parse_rfc3339("2026-11-21T18:00:01Z");
  seen.authenticity = Authenticity::authentic;
  seen.carrier = Carrier::dns_question;
  seen.receiver = "dns";
  seen.ping = sample_ping();
  seen.source = *IpAddress::parse("198.51.100.53");
  seen.destination = *IpAddress::parse("2001:db8::10");
  seen.source_port = 53'000;
  seen.destination_port = 53;
  seen.protocol = 17;
  seen.ttl = 57;
  seen.raw = std::string("\0\xff raw", 6);
  return seen;
}

std::string any_text(std::size_t most, bool plain) {
  return *rc::gen::container<std::string>(
      *rc::gen::inRange<std::size_t>(1, most + 1),
      plain ? rc::gen::inRange<char>(' ', '~') : rc::gen::arbitrary<char>());
}

Observation any_observation() {
  Observation seen = sample();
  seen.received = Timestamp{
      Duration{*rc::gen::inRange<std::int64_t>(0, kLatest.time_since_epoch().count() + 1)}};
  seen.authenticity =
      *rc::gen::element(Authenticity::authentic, Authenticity::token, Authenticity::unknown_key);
  seen.carrier = static_cast<Carrier>(*rc::gen::inRange(1, 10));
  seen.receiver = any_text(kLongestReceiver, true);
  seen.retired = *rc::gen::arbitrary<bool>();
  seen.ping = seen.authenticity == Authenticity::unknown_key ? Ping{} : *any_ping();
  seen.source = *any_address();
  seen.destination = *any_address();
  seen.source_port = *rc::gen::arbitrary<std::uint16_t>();
  seen.protocol = *rc::gen::arbitrary<std::uint8_t>();
  seen.ttl = *rc::gen::arbitrary<std::uint8_t>();
  seen.raw = any_text(Observation::kMostRaw, false);
  return seen;
}

RC_GTEST_PROP(ObservationBatch, ComesBackAsItWent, ()) {
  ObservationBatch batch;
  batch.made = sample().received;
  for (auto left = *rc::gen::inRange(0, 20); left > 0; --left)
    batch.observations.push_back(any_observation());
  batch.counters = {{"packets", "eth0", 7}, {"pings", "", UINT64_MAX}};
  const auto got = decode_observations(encode_observations(batch), {});
  RC_ASSERT(got.has_value());
  RC_ASSERT(got->made == batch.made);
  RC_ASSERT(got->observations == batch.observations);
  RC_ASSERT(got->counters.size() == 2U);
  RC_ASSERT(got->counters[0].place == "eth0" && got->counters[1].value == UINT64_MAX);
}

TEST(ObservationBatch, BringsIntoRangeWhatIsOutside) {
  Observation seen = sample();
  seen.received = kEarliest - Duration{1};
  seen.receiver = "line\n" + std::string(40, 'x');
  seen.raw.assign(1000, 'r');
  Observation unknown = sample();
  unknown.authenticity = Authenticity::unknown_key;
  const auto got = decode_observations(encode_observations({kLatest, {seen, unknown}, {}}), {});
  ASSERT_TRUE(got) << got.error().message();
  EXPECT_EQ(got->observations[0].received, kEarliest);
  EXPECT_EQ(got->observations[0].receiver, "line?" + std::string(27, 'x'));
  EXPECT_EQ(got->observations[0].raw, std::string(Observation::kMostRaw, 'r'));
  EXPECT_EQ(got->observations[1].ping, Ping{});
}

std::string packed(const std::string& plain) {
  std::string out(ZSTD_compressBound(plain.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), plain.data(), plain.size(), 1));
  return out;
}

uplink::ObservationBatch good() {
  uplink::ObservationBatch batch;
  auto& seen = *batch.add_observations();
  seen.set_authenticity(1);
  seen.set_carrier(1);
  seen.set_receiver("sniffer");
  seen.set_ping(std::string(as_text(encode_ping(sample_ping()))));
  auto& counter = *batch.add_counters();
  counter.set_name("packets");
  return batch;
}

TEST(ObservationBatch, IsRefusedAsAWholeAndSaysWhy) {
  using Batch = uplink::ObservationBatch;
  const struct {
    void (*spoil)(Batch&);
    const char* word;
  } cases[] = {
      {[](Batch& b) { b.set_made_us(-1); }, "made_us"},
      {[](Batch& b) { b.mutable_observations(0)->set_received_us(-1); }, "received_us"},
      {[](Batch& b) { b.mutable_observations(0)->set_authenticity(0); }, "authenticity"},
      {[](Batch& b) { b.mutable_observations(0)->set_authenticity(4); }, "authenticity"},
      {[](Batch& b) { b.mutable_observations(0)->set_carrier(0); }, "carrier"},
      {[](Batch& b) { b.mutable_observations(0)->set_carrier(10); }, "carrier"},
      {[](Batch& b) { b.mutable_observations(0)->clear_receiver(); }, "receiver"},
      {[](Batch& b) { b.mutable_observations(0)->set_receiver("a\x1b"); }, "receiver"},
      {[](Batch& b) { b.mutable_observations(0)->set_receiver(std::string(33, 'a')); }, "receiver"},
      {[](Batch& b) { b.mutable_observations(0)->clear_ping(); }, "disagree"},
      {[](Batch& b) { b.mutable_observations(0)->set_authenticity(3); }, "disagree"},
      {[](Batch& b) { b.mutable_observations(0)->set_ping("x"); }, "ping cannot be read"},
      {[](Batch& b) { b.mutable_observations(0)->set_source("abc"); }, "address"},
      {[](Batch& b) { b.mutable_observations(0)->set_destination("abcde"); }, "address"},
      {[](Batch& b) { b.mutable_observations(0)->set_source_port(65'536); }, "out of range"},
      {[](Batch& b) { b.mutable_observations(0)->set_destination_port(65'536); }, "out of range"},
      {[](Batch& b) { b.mutable_observations(0)->set_protocol(256); }, "out of range"},
      {[](Batch& b) { b.mutable_observations(0)->set_ttl(256); }, "out of range"},
      {[](Batch& b) { b.mutable_observations(0)->set_raw(std::string(513, 'r')); }, "raw"},
      {[](Batch& b) { b.mutable_counters(0)->clear_name(); }, "counter"},
  };
  ASSERT_TRUE(decode_observations(packed(good().SerializeAsString()), {}).has_value());
  for (const auto& c : cases) {
    Batch batch = good();
    c.spoil(batch);
    const auto got = decode_observations(packed(batch.SerializeAsString()), {});
    ASSERT_FALSE(got.has_value()) << c.word;
    EXPECT_EQ(got.error().kind, ErrorKind::malformed);
    EXPECT_THAT(got.error().message(), HasSubstr(c.word));
  }
}

TEST(ObservationBatch, IsCountedBeforeMemoryIsTaken) {
  ObservationBatchLimits limits;
  limits.most_observations = 2;
  uplink::ObservationBatch batch = good();
  batch.mutable_observations()->Add()->CopyFrom(batch.observations(0));
  EXPECT_TRUE(decode_observations(packed(batch.SerializeAsString()), limits).has_value());
  batch.mutable_observations()->Add()->CopyFrom(batch.observations(0));
  EXPECT_EQ(decode_observations(packed(batch.SerializeAsString()), limits).error().kind,
            ErrorKind::limit);

  std::string fields;  // one observation of many fields
  for (int i = 0; i < 65; ++i)
    fields += "\x10\x01";
  const std::string repeated = std::string("\x12\x82\x01", 3) + fields;
  EXPECT_THAT(decode_observations(packed(repeated), {}).error().message(),
              HasSubstr("fields of an observation"));
  std::string others;
  for (int i = 0; i < 1025; ++i)
    others += std::string("\x40\x00", 2);
  EXPECT_THAT(decode_observations(packed(others), {}).error().message(), HasSubstr("other fields"));

  limits = {};
  limits.most_bytes = 1000;
  EXPECT_EQ(decode_observations(packed(std::string(1001, '\0')), limits).error().kind,
            ErrorKind::limit);
}

TEST(ObservationBatch, RefusesBytesOfAnyOtherKind) {
  for (const std::string& bytes :
       {std::string(), std::string("no zstd"), packed("\xff\xff\xff"),
        encode_observations({kEarliest, {sample()}, {}}).substr(0, 50)}) {
    const auto got = decode_observations(bytes, {});
    ASSERT_FALSE(got.has_value());
    EXPECT_EQ(got.error().kind, ErrorKind::malformed);
  }
}

}  // namespace
}  // namespace beaconry
