// Batches of flow events: made by a collector, taken by the server.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "uplink/flow_batch.h"

namespace beaconry {
namespace {

constexpr int kEvents = 100'000;

// A network of a thousand hosts at work: each talks to a handful of servers, most by name.
FlowEvent event_of(int i, std::string& name) {
  const unsigned mix = static_cast<unsigned>(i) * 2654435761U;
  const unsigned host = mix >> 22, server = (mix >> 12 & 31U) * (host % 7 + 1);
  FlowEvent event;
  event.kind = static_cast<FlowEventKind>(mix >> 3 & 3U);
  event.begins_check_in = event.kind == FlowEventKind::open;
  event.pair = {IpAddress::v4(0x0a000000U + host), IpAddress::v4(0xcb007100U + server), 443,
                Protocol::tcp};
  event.source_port = static_cast<std::uint16_t>(mix >> 16);
  event.time = Timestamp{Duration{1'780'000'000'000'000 + i * 97LL + (mix & 0xffU)}};
  event.duration = Duration{mix >> 8};
  event.bytes_out = mix >> 20;
  event.bytes_in = mix >> 14;
  if (server % 3 != 0) {
    name = "host" + std::to_string(server) + ".example.org";
    event.name_kind = NameKind::tls_sni;
    event.server_name = name;
  }
  return event;
}

class SummingSink final : public FlowSink {
 public:
  void add(const FlowEvent& event) override {
    sum += event.bytes_out + event.pair.port + event.server_name.size();
  }
  void add_host_name(const IpAddress&, std::string_view, Timestamp) override {}
  void add_address_name(const IpAddress&, std::string_view, Timestamp) override {}
  std::uint64_t sum = 0;
};

void fill(FlowBatchBuilder& builder) {
  std::string name;
  for (int i = 0; i < kEvents; ++i)
    builder.add(event_of(i, name));
}

void encode(benchmark::State& state) {
  std::vector<std::string> names(kEvents);
  std::vector<FlowEvent> events;
  for (int i = 0; i < kEvents; ++i)
    events.push_back(event_of(i, names[static_cast<std::size_t>(i)]));
  FlowBatchBuilder builder;
  std::size_t size = 0;
  for (auto _ : state) {
    for (const FlowEvent& event : events)
      builder.add(event);
    size = builder.finish(Timestamp{}, {}).size();
  }
  state.SetItemsProcessed(state.iterations() * kEvents);
  state.counters["bytes_an_event"] = static_cast<double>(size) / kEvents;
}
BENCHMARK(encode)->Unit(benchmark::kMillisecond);

void decode(benchmark::State& state) {
  FlowBatchBuilder builder;
  fill(builder);
  const std::string content = builder.finish(Timestamp{}, {});
  for (auto _ : state) {
    SummingSink sink;
    const auto got = decode_flow_batch(content, {}, sink);
    if (!got) state.SkipWithError(got.error().message().c_str());
    benchmark::DoNotOptimize(sink.sum);
  }
  state.SetItemsProcessed(state.iterations() * kEvents);
}
BENCHMARK(decode)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace beaconry
