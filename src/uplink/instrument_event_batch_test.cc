#include "uplink/instrument_event_batch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <uplink.pb.h>  // generated
#include <zstd.h>

namespace beaconry {
namespace {

using testing::HasSubstr;

constexpr const char* kUuid = "0b7a3c1e-1111-4222-8333-0123456789ab";

InstrumentEvent sample() {
  InstrumentEvent event;
  event.instance = "beacon_0";
  event.uuid = kUuid;
  event.time = *parse_rfc3339("2026-11-22T08:00:00.5Z");
  event.type = "instruments.beacon.ev.alert";
  event.message = "a leak: Zürich";
  event.data_json = R"({"methods": ["dns"], "n": 3})";
  return event;
}

std::string any_text(std::size_t most) {
  return *rc::gen::container<std::string>(*rc::gen::inRange<std::size_t>(0, most + 1),
                                          rc::gen::inRange<char>(' ', '~'));
}

std::string any_uuid() {
  std::string uuid = kUuid;
  for (char& c : uuid) {
    if (c != '-') c = *rc::gen::elementOf(std::string("0123456789abcdef"));
  }
  return uuid;
}

InstrumentEvent any_event() {
  InstrumentEvent event = sample();
  event.instance = *rc::gen::element<std::string>("", "beacon_0", "third-party_999");
  event.uuid = any_uuid();
  if (*rc::gen::arbitrary<bool>()) event.context_uuid = any_uuid();
  event.time = Timestamp{
      Duration{*rc::gen::inRange<std::int64_t>(0, kLatest.time_since_epoch().count() + 1)}};
  event.type = "instruments." + *rc::gen::nonEmpty(rc::gen::container<std::string>(
                                    10, rc::gen::elementOf(std::string("abz09-_."))));
  event.message = any_text(100);
  event.data_json = *rc::gen::element<std::string>("{}", "[1,2]", "\"text\"", "null", "-1.5e3");
  return event;
}

RC_GTEST_PROP(InstrumentEventBatch, ComesBackAsItWent, ()) {
  InstrumentEventBatch batch;
  batch.made = sample().time;
  for (auto left = *rc::gen::inRange(0, 10); left > 0; --left)
    batch.events.push_back(any_event());
  batch.counters = {{"events", "beacon_0", 7}, {"dropped", "", UINT64_MAX}};
  const auto got = decode_instrument_events(encode_instrument_events(batch), {});
  RC_ASSERT(got.has_value());
  RC_ASSERT(got->made == batch.made);
  RC_ASSERT(got->events == batch.events);
  RC_ASSERT(got->counters.size() == 2U);
  RC_ASSERT(got->counters[0].place == "beacon_0" && got->counters[1].value == UINT64_MAX);
}

RC_GTEST_PROP(InstrumentEventBatch, IsAlwaysMadeSoThatItCanBeRead, ()) {
  InstrumentEvent event = sample();
  event.instance =
      *rc::gen::oneOf(rc::gen::arbitrary<std::string>(), rc::gen::just<std::string>("a"));
  event.context_uuid = *rc::gen::arbitrary<std::string>();
  event.time = Timestamp{Duration{*rc::gen::arbitrary<std::int64_t>()}};
  event.type = *rc::gen::arbitrary<std::string>();
  event.message = *rc::gen::arbitrary<std::string>();
  event.data_json = *rc::gen::arbitrary<std::string>();
  const auto got = decode_instrument_events(encode_instrument_events({{}, {event}, {}}), {});
  RC_ASSERT(got.has_value());
  RC_ASSERT(got->events.size() ==
            (event.instance.empty() || is_instance_name(event.instance) ? 1U : 0U));
}

TEST(InstrumentEventBatch, BringsIntoRangeWhatIsOutside) {
  InstrumentEvent event = sample();
  event.context_uuid = "other";
  event.time = kLatest + Duration{1};
  event.type = "a b/" + std::string(200, 'c');
  event.message = "two\nlines " + std::string(3000, 'x');
  event.data_json = "{";
  InstrumentEvent long_one = sample();
  long_one.data_json = '"' + std::string(300'000, 'x') + '"';
  InstrumentEvent nobody = sample();
  nobody.uuid = "0B7A3C1E-1111-4222-8333-0123456789AB";
  const auto got =
      decode_instrument_events(encode_instrument_events({{}, {event, long_one, nobody}, {}}), {});
  ASSERT_TRUE(got) << got.error().message();
  ASSERT_EQ(got->events.size(), 2U);
  EXPECT_EQ(got->events[0].context_uuid, "");
  EXPECT_EQ(got->events[0].time, kLatest);
  EXPECT_EQ(got->events[0].type, "a_b_" + std::string(124, 'c'));
  EXPECT_EQ(got->events[0].message.substr(0, 10), "two lines ");
  EXPECT_EQ(got->events[0].message.size(), InstrumentEvent::kLongestMessage);
  EXPECT_EQ(got->events[0].data_json, R"({"left_out_bytes": 1})");
  EXPECT_EQ(got->events[1].data_json, R"({"left_out_bytes": 300002})");
}

std::string packed(const std::string& plain) {
  std::string out(ZSTD_compressBound(plain.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), plain.data(), plain.size(), 1));
  return out;
}

uplink::InstrumentEventBatch good() {
  uplink::InstrumentEventBatch batch;
  auto& event = *batch.add_events();
  event.set_instance("beacon_0");
  event.set_uuid(kUuid);
  event.set_type("instruments.beacon.ev.alert");
  batch.add_counters()->set_name("events");
  return batch;
}

TEST(InstrumentEventBatch, IsRefusedAsAWholeAndSaysWhy) {
  using Batch = uplink::InstrumentEventBatch;
  const struct {
    void (*spoil)(Batch&);
    const char* word;
  } cases[] = {
      {[](Batch& b) { b.set_made_us(-1); }, "made_us"},
      {[](Batch& b) { b.mutable_events(0)->set_instance("Beacon 0"); }, "instance"},
      {[](Batch& b) { b.mutable_events(0)->set_instance(std::string(65, 'a')); }, "instance"},
      {[](Batch& b) { b.mutable_events(0)->clear_uuid(); }, "uuid"},
      {[](Batch& b) { b.mutable_events(0)->mutable_uuid()->at(0) = 'A'; }, "uuid"},
      {[](Batch& b) { b.mutable_events(0)->set_context_uuid("x"); }, "context_uuid"},
      {[](Batch& b) { b.mutable_events(0)->set_time_us(-1); }, "time_us"},
      {[](Batch& b) { b.mutable_events(0)->clear_type(); }, "type"},
      {[](Batch& b) { b.mutable_events(0)->set_type("a b"); }, "type"},
      {[](Batch& b) { b.mutable_events(0)->set_type(std::string(129, 'a')); }, "type"},
      {[](Batch& b) { b.mutable_events(0)->set_message("a\x1b"); }, "message"},
      {[](Batch& b) { b.mutable_events(0)->set_message(std::string(2049, 'a')); }, "message"},
      {[](Batch& b) { b.mutable_events(0)->set_data("{"); }, "data"},
      {[](Batch& b) { b.mutable_events(0)->set_data(std::string(65, '[') + std::string(65, ']')); },
       "too deep"},
      {[](Batch& b) { b.mutable_counters(0)->clear_name(); }, "counter"},
  };
  ASSERT_TRUE(decode_instrument_events(packed(good().SerializeAsString()), {}));
  for (const auto& c : cases) {
    Batch batch = good();
    c.spoil(batch);
    const auto got = decode_instrument_events(packed(batch.SerializeAsString()), {});
    ASSERT_FALSE(got) << c.word;
    EXPECT_EQ(got.error().kind, ErrorKind::malformed);
    EXPECT_THAT(got.error().message(), HasSubstr(c.word));
  }
}

TEST(InstrumentEventBatch, IsCountedBeforeMemoryIsTaken) {
  InstrumentEventBatchLimits limits;
  limits.most_events = 2;
  uplink::InstrumentEventBatch batch = good();
  batch.mutable_events()->Add()->CopyFrom(batch.events(0));
  EXPECT_TRUE(decode_instrument_events(packed(batch.SerializeAsString()), limits));
  batch.mutable_events()->Add()->CopyFrom(batch.events(0));
  EXPECT_EQ(decode_instrument_events(packed(batch.SerializeAsString()), limits).error().kind,
            ErrorKind::limit);

  std::string fields;  // one event of many fields
  for (int i = 0; i < 65; ++i)
    fields += "\x20\x01";
  EXPECT_THAT(decode_instrument_events(packed(std::string("\x12\x82\x01", 3) + fields), {})
                  .error()
                  .message(),
              HasSubstr("fields of an event"));
  std::string others;
  for (int i = 0; i < 1025; ++i)
    others += std::string("\x40\x00", 2);
  EXPECT_THAT(decode_instrument_events(packed(others), {}).error().message(),
              HasSubstr("other fields"));
  limits = {};
  limits.most_bytes = 1000;
  EXPECT_EQ(decode_instrument_events(packed(std::string(1001, '\0')), limits).error().kind,
            ErrorKind::limit);
}

TEST(InstrumentEventBatch, RefusesBytesOfAnyOtherKind) {
  for (const std::string& bytes : {std::string(), std::string("no zstd"), packed("\xff\xff\xff"),
                                   encode_instrument_events({{}, {sample()}, {}}).substr(0, 30)}) {
    const auto got = decode_instrument_events(bytes, {});
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().kind, ErrorKind::malformed);
  }
}

}  // namespace
}  // namespace beaconry
