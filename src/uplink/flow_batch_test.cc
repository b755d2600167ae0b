#include "uplink/flow_batch.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <uplink.pb.h>  // generated
#include <zstd.h>

#include "uplink/test_events.h"

namespace beaconry {
namespace {

std::string compress(std::string_view plain) {
  std::string packed(ZSTD_compressBound(plain.size()), '\0');
  packed.resize(ZSTD_compress(packed.data(), packed.size(), plain.data(), plain.size(), 1));
  return packed;
}

std::string decompressed(std::string_view packed) {
  std::string plain(ZSTD_getFrameContentSize(packed.data(), packed.size()), '\0');
  plain.resize(ZSTD_decompress(plain.data(), plain.size(), packed.data(), packed.size()));
  return plain;
}

std::string batch_of(const std::vector<KeptEvent>& events) {
  FlowBatchBuilder builder;
  for (const KeptEvent& event : events)
    builder.add(event.view());
  return builder.finish(at(1), {});
}

// What decoding says of a batch that was spoilt.
Error refusal(const std::string& content, const FlowBatchLimits& limits = {}) {
  KeepingSink sink;
  const auto got = decode_flow_batch(content, limits, sink);
  EXPECT_TRUE(sink.events.empty() && sink.host_names.empty() && sink.address_names.empty());
  return got ? Error{ErrorKind::usage, "was taken", "", ""} : got.error();
}

TEST(FlowBatch, CarriesEventsNamesAndCounters) {
  KeptEvent close = sample_event();
  close.event.kind = FlowEventKind::close;
  close.event.begins_check_in = false;
  close.event.name_kind = NameKind::none;
  close.name.clear();
  close.event.pair = *PairKey::parse("[2001:db8::1]->[2001:db8::2]:0/ICMPv6");
  close.event.time -= std::chrono::hours{3};  // late
  close.event.bytes_in = kUnknownBytes;
  close.event.bytes_out = kUnknownBytes - 1;
  close.id = "CbNAXx2c";

  FlowBatchBuilder builder;
  builder.add(sample_event().view());
  builder.add(close.view());
  builder.add_host_name(close.event.pair.source, "printer", at(5));
  builder.add_address_name(sample_event().event.pair.destination, "cdn.example.org", at(9));
  EXPECT_EQ(builder.events(), 2U);
  const auto content = builder.finish(at(77), {{"packets", "eth0", 12}, {"ring_drops", "", 0}});
  EXPECT_EQ(builder.events(), 0U);

  KeepingSink sink;
  const auto got = decode_flow_batch(content, {}, sink);
  ASSERT_TRUE(got) << got.error().message();
  EXPECT_EQ(got->made, at(77));
  EXPECT_EQ(got->events, 2U);
  ASSERT_EQ(got->counters.size(), 2U);
  EXPECT_EQ(got->counters[0].name, "packets");
  EXPECT_EQ(got->counters[0].place, "eth0");
  EXPECT_EQ(got->counters[0].value, 12U);
  EXPECT_EQ(sink.events, (std::vector{sample_event(), close}));
  EXPECT_EQ(sink.host_names, (std::vector{KeptName{close.event.pair.source, "printer", at(5)}}));
  EXPECT_EQ(
      sink.address_names,
      (std::vector{KeptName{sample_event().event.pair.destination, "cdn.example.org", at(9)}}));
}

TEST(FlowBatch, BuildsTheNextOneFromNothing) {
  FlowBatchBuilder builder;
  KeptEvent with_id = sample_event();
  with_id.id = "1";
  builder.add(with_id.view());
  (void)builder.finish(at(1), {{"packets", "", 1}});
  KeepingSink nothing;
  const auto empty = decode_flow_batch(builder.finish(at(2), {}), {}, nothing);
  ASSERT_TRUE(empty);
  EXPECT_EQ(empty->events, 0U);
  EXPECT_TRUE(empty->counters.empty());
  builder.add(sample_event().view());
  KeepingSink sink;
  ASSERT_TRUE(decode_flow_batch(builder.finish(at(3), {}), {}, sink));
  EXPECT_EQ(sink.events, std::vector{sample_event()});
}

TEST(FlowBatch, MakesOddEventsAcceptable) {
  KeptEvent odd = sample_event();
  odd.event.kind = FlowEventKind::alive;  // and begins_check_in
  odd.event.time = kLatest + std::chrono::hours{1};
  odd.event.duration = Duration{-5};
  odd.name = std::string("a\0b\xff\n", 5) + std::string(400, 'x');
  odd.id = "\x1b[0m";
  KeepingSink sink;
  const auto got = decode_flow_batch(batch_of({odd}), {}, sink);
  ASSERT_TRUE(got) << got.error().message();
  const KeptEvent& back = sink.events.at(0);
  EXPECT_FALSE(back.event.begins_check_in);
  EXPECT_EQ(back.event.time, kLatest);
  EXPECT_EQ(back.event.duration, Duration{0});
  EXPECT_EQ(back.name.substr(0, 8), "a?b\xEF\xBF\xBD?x");
  EXPECT_EQ(back.name.size(), 255U);
  EXPECT_EQ(back.id, "?[0m");
}

TEST(FlowBatch, CutsLongNamesBetweenCharacters) {
  KeptEvent event = sample_event();
  event.name.clear();
  for (int i = 0; i < 100; ++i)
    event.name += "\xE2\x82\xAC";  // three bytes each: 255 is 85 of them
  event.name.insert(0, "x");
  KeepingSink sink;
  ASSERT_TRUE(decode_flow_batch(batch_of({event}), {}, sink));
  EXPECT_EQ(sink.events.at(0).name.size(), 253U);
}

TEST(FlowBatch, RefusesEachFaultBeforeTheFirstEvent) {
  using Batch = uplink::FlowBatch;
  const struct {
    void (*spoil)(Batch&);
    const char* word;
  } cases[] = {
      {[](Batch& b) { b.set_made_us(-1); }, "made_us"},
      {[](Batch& b) { b.set_base_us(INT64_MIN); }, "base_us"},
      {[](Batch& b) { b.mutable_addresses()->pop_back(); }, "16 bytes"},
      {[](Batch& b) { b.set_addresses(""); }, "address that is not there"},
      {[](Batch& b) { b.set_names(0, ""); }, "a name is empty"},
      {[](Batch& b) { b.set_names(0, std::string(256, 'x')); }, "too long"},
      {[](Batch& b) { b.set_names(0, "a\nb"); }, "plain text"},
      {[](Batch& b) { b.add_pair_port(1); }, "pairs differ in length"},
      {[](Batch& b) { b.set_pair_source(0, 2); }, "address that is not there"},
      {[](Batch& b) { b.set_pair_destination(0, UINT32_MAX); }, "address that is not there"},
      {[](Batch& b) { b.set_pair_port(0, 65536); }, "port"},
      {[](Batch& b) { b.set_pair_protocol(0, 256); }, "protocol"},
      {[](Batch& b) { b.mutable_kind()->push_back(0); }, "events differ in length"},
      {[](Batch& b) { b.add_pair(0); }, "events differ in length"},
      {[](Batch& b) { b.add_time(0); }, "events differ in length"},
      {[](Batch& b) { b.clear_duration(); }, "events differ in length"},
      {[](Batch& b) { b.add_id(""), b.add_id(""), b.add_id(""); }, "events differ in length"},
      {[](Batch& b) { b.set_pair(1, 1); }, "pair that is not there"},
      {[](Batch& b) { b.set_source_port(0, 65536); }, "source port"},
      {[](Batch& b) { b.set_duration(0, UINT64_MAX); }, "duration"},
      {[](Batch& b) { b.set_name(1, 2); }, "name that is not there"},
      {[](Batch& b) { b.set_name(1, 0); }, "disagree"},
      {[](Batch& b) { (*b.mutable_kind())[0] = 1; }, "disagree"},
      {[](Batch& b) { (*b.mutable_kind())[0] = 5; }, "kind is unknown"},
      {[](Batch& b) { (*b.mutable_kind())[0] = 0x50; }, "kind is unknown"},
      {[](Batch& b) { (*b.mutable_kind())[0] = '\x90'; }, "kind is unknown"},
      {[](Batch& b) { (*b.mutable_kind())[0] = 0x3b; }, "alive begins"},
      {[](Batch& b) { b.set_time(0, INT64_MIN); }, "event's time"},
      {[](Batch& b) { b.set_time(1, INT64_MAX); }, "event's time"},
      {[](Batch& b) { b.set_time(1, -b.base_us() - 1); }, "event's time"},
      {[](Batch& b) { b.add_id("\x7f"), b.add_id(""); }, "id"},
      {[](Batch& b) { b.add_host_name(1); }, "names differ in length"},
      {[](Batch& b) { b.add_host_name(1), b.add_host_name_address(2), b.add_host_name_time(0); },
       "address that is not there"},
      {[](Batch& b) { b.add_host_name(0), b.add_host_name_address(0), b.add_host_name_time(0); },
       "name that is not there"},
      {[](Batch& b) {
         b.add_address_name(2), b.add_address_name_address(0), b.add_address_name_time(0);
       },
       "name that is not there"},
      {[](Batch& b) {
         b.add_address_name(1), b.add_address_name_address(0), b.add_address_name_time(INT64_MAX);
       },
       "name's time"},
      {[](Batch& b) { b.add_counters(); }, "counter"},
      {[](Batch& b) { b.add_counters()->set_name("\r"); }, "counter"},
  };
  const std::string good = decompressed(batch_of({sample_event(), sample_event()}));
  for (const auto& c : cases) {
    Batch batch;
    ASSERT_TRUE(batch.ParseFromString(good));
    c.spoil(batch);
    const Error error = refusal(compress(batch.SerializeAsString()));
    EXPECT_EQ(error.kind, ErrorKind::malformed) << c.word;
    EXPECT_NE(error.message().find(c.word), std::string::npos) << error.message();
  }
}

TEST(FlowBatch, RefusesBytesThatAreNone) {
  const std::string good = batch_of({sample_event()});
  EXPECT_EQ(refusal("").kind, ErrorKind::malformed);
  EXPECT_EQ(refusal("{\"batch_id\": \"b\"}").kind, ErrorKind::malformed);
  EXPECT_EQ(refusal(good + "x").kind, ErrorKind::malformed);
  EXPECT_EQ(refusal(good + good).kind, ErrorKind::malformed);
  EXPECT_EQ(refusal(compress("\xff\xff\xff")).kind, ErrorKind::malformed);
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_EQ(refusal(good.substr(0, size)).kind, ErrorKind::malformed) << size;
  }
}

TEST(FlowBatch, KeepsToItsLimits) {
  FlowBatchLimits limits;
  limits.most_events = 3;
  const std::vector<KeptEvent> four(4, sample_event());
  EXPECT_EQ(refusal(batch_of(four), limits).kind, ErrorKind::limit);
  limits = {};
  limits.most_bytes = 64 << 10;
  const std::string bomb = compress(std::string(100 << 20, '\0'));
  EXPECT_EQ(refusal(bomb, limits).kind, ErrorKind::limit);

  // Two bytes on the wire, dozens in memory.
  std::string tiny;
  for (int i = 0; i < 20'000; ++i)
    tiny += std::string_view("\xc2\x01\0", 3);  // an empty counter
  EXPECT_EQ(refusal(compress(tiny)).kind, ErrorKind::limit);
  tiny.clear();
  for (int i = 0; i < 20'000; ++i)
    tiny += "\xc8\x0f\x01";  // a field of nobody
  EXPECT_EQ(refusal(compress(tiny)).kind, ErrorKind::limit);
}

// A frame that does not tell its size, as streaming writers make it.
std::string compress_untold(std::string_view plain) {
  std::string packed(ZSTD_compressBound(plain.size()) + 64, '\0');
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
  packed.resize(ZSTD_compress2(context, packed.data(), packed.size(), plain.data(), plain.size()));
  ZSTD_freeCCtx(context);
  EXPECT_EQ(ZSTD_getFrameContentSize(packed.data(), packed.size()), ZSTD_CONTENTSIZE_UNKNOWN);
  return packed;
}

TEST(FlowBatch, TakesAndBoundsFramesThatTellNoSize) {
  std::vector<KeptEvent> events(5'000, sample_event());
  for (std::size_t i = 0; i < events.size(); ++i) {
    events[i].event.source_port = static_cast<std::uint16_t>(i);
    events[i].event.bytes_in = i * 977;
  }
  const std::string content = compress_untold(decompressed(batch_of(events)));
  KeepingSink sink;
  const auto got = decode_flow_batch(content, {}, sink);
  ASSERT_TRUE(got) << got.error().message();
  EXPECT_EQ(sink.events, events);
  FlowBatchLimits limits;
  limits.most_bytes = 64 << 10;
  EXPECT_EQ(refusal(compress_untold(std::string(1 << 20, '\0')), limits).kind, ErrorKind::limit);
  EXPECT_EQ(refusal(content.substr(0, content.size() - 2)).kind, ErrorKind::malformed);
}

rc::Gen<KeptEvent> any_event() {
  return rc::gen::exec([] {
    KeptEvent kept;
    FlowEvent& e = kept.event;
    e.kind = static_cast<FlowEventKind>(*rc::gen::inRange(0, 5));
    e.begins_check_in = e.kind != FlowEventKind::alive && *rc::gen::arbitrary<bool>();
    const auto address = [] {
      return IpAddress::v4(0x0a000000U + static_cast<std::uint32_t>(*rc::gen::inRange(0, 6)));
    };
    e.pair = {address(), address(), *rc::gen::arbitrary<std::uint16_t>(),
              static_cast<Protocol>(*rc::gen::arbitrary<std::uint8_t>())};
    e.source_port = *rc::gen::arbitrary<std::uint16_t>();
    const std::int64_t last = kLatest.time_since_epoch().count();
    e.time = at(*rc::gen::oneOf(rc::gen::element<std::int64_t>(0, last),
                                rc::gen::inRange<std::int64_t>(0, last)));
    e.duration = Duration{*rc::gen::inRange<std::int64_t>(0, last)};
    e.bytes_out =
        *rc::gen::oneOf(rc::gen::just(kUnknownBytes), rc::gen::arbitrary<std::uint64_t>());
    e.bytes_in = *rc::gen::arbitrary<std::uint64_t>();
    e.name_kind = static_cast<NameKind>(*rc::gen::inRange(0, 5));
    if (e.name_kind != NameKind::none) {
      kept.name = *rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::inRange('a', 'e')));
      kept.name.resize(std::min<std::size_t>(kept.name.size(), 255));
    }
    kept.id = *rc::gen::element<std::string>("", "", "17", "C\xC3\xA4");
    return kept;
  });
}

RC_GTEST_PROP(FlowBatchProperty, AnyEventsComeBackInOrder, ()) {
  const auto events = *rc::gen::container<std::vector<KeptEvent>>(any_event());
  KeepingSink sink;
  const auto got = decode_flow_batch(batch_of(events), {}, sink);
  RC_ASSERT(got.has_value());
  RC_ASSERT(got->events == events.size());
  RC_ASSERT(sink.events == events);
}

}  // namespace
}  // namespace beaconry
