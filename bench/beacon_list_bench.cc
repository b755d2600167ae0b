// The list of a hundred thousand beacons: a page as the web page asks for it, by order and filter.
#include <benchmark/benchmark.h>

#include "control/beacon_list.h"

namespace beaconry {
namespace {

constexpr unsigned kBeacons = 100'000;
constexpr Timestamp kNow{std::chrono::seconds{1'800'000'000}};

BeaconRow row(unsigned n) {
  BeaconRow row;
  row.src_ip = "10." + std::to_string(n >> 16) + '.' + std::to_string(n >> 8 & 255) + '.' +
               std::to_string(n & 255);
  row.dst_ip = "203.0.113." + std::to_string(n % 250);
  row.server_name = "host" + std::to_string(n % 5003) + ".cdn.example";
  row.identity = row.src_ip + "->" + row.server_name + ":443/TCP";
  row.protocol = "TCP";
  row.dst_port = 443;
  row.score = 1 - 0.3 * (n * 7919 % kBeacons) / kBeacons;
  row.severity = row.score > 0.9 ? 3 : 2;
  row.interval_seconds = 10 + n * 104'729 % 3600;
  row.check_ins = 20 + n % 1000;
  row.first_seen = kNow - std::chrono::seconds{n % 86'400};
  row.last_seen = kNow - std::chrono::seconds{n % 600};
  row.summary = "calls every minute with a jitter of a fifth, the same sizes each time";
  return row;
}

BeaconList& filled() {
  static BeaconList* const list = [] {
    auto* made = new BeaconList;
    for (unsigned n = 0; n < kBeacons; ++n)
      made->put(row(n));
    return made;
  }();
  return *list;
}

void ask(benchmark::State& state, const BeaconList::Query& query) {
  BeaconList& list = filled();
  for (auto _ : state)
    benchmark::DoNotOptimize(list.page(query));
}

void first_page(benchmark::State& state) {
  ask(state, {});
}
BENCHMARK(first_page)->Unit(benchmark::kMillisecond);

void last_page(benchmark::State& state) {
  BeaconList::Query query;
  query.first = kBeacons - 1000;
  query.limit = 1000;
  ask(state, query);
}
BENCHMARK(last_page)->Unit(benchmark::kMillisecond);

void search(benchmark::State& state) {
  BeaconList::Query query;
  query.words = "10.1.134.159 jitter";
  ask(state, query);
}
BENCHMARK(search)->Unit(benchmark::kMillisecond);

// One beacon changed: all is sorted anew.
void sort(benchmark::State& state) {
  BeaconList& list = filled();
  BeaconList::Query query;
  query.order = static_cast<BeaconList::Order>(state.range(0));
  for (auto _ : state) {
    list.put(row(0));
    benchmark::DoNotOptimize(list.page(query));
  }
}
BENCHMARK(sort)
    ->Arg(static_cast<int>(BeaconList::Order::score))
    ->Arg(static_cast<int>(BeaconList::Order::destination))
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace beaconry
