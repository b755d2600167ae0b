// Scoring alone: series in memory -> verdicts, on one core. Pairs a second are "items_per_second".
#include <benchmark/benchmark.h>

#include <cmath>
#include <random>
#include <vector>

#include "detect/scorer.h"

namespace beaconry {
namespace {

enum Family : std::int64_t { kJittered, kFixed, kMemoryless, kPeople, kMixed };

// A series of `count` check-ins of one family.
std::vector<CheckIn> series_of(Family family, std::size_t count, std::mt19937_64& random) {
  std::uniform_real_distribution<double> uniform(0, 1);
  std::vector<CheckIn> series;
  double t = 1.7e9;
  for (std::size_t i = 0; i < count; ++i) {
    const double u = uniform(random);
    switch (family) {
      case kJittered:
        t += 60 * (1 - 0.3 * u);
        break;
      case kFixed:
        t += 60 + 0.05 * u;
        break;
      case kMemoryless:
        t += 1 - 60 * std::log(1 - u);
        break;
      default:
        t += 1 + 5 * std::pow(1 - u, -1.2);
        break;
    }
    CheckIn c;
    c.time = Timestamp{std::chrono::milliseconds{static_cast<std::int64_t>(t * 1000)}};
    c.bytes_out = family == kPeople ? static_cast<std::uint64_t>(400 + 4000 * u) : 420;
    c.bytes_in = static_cast<std::uint64_t>(900 + 300 * u);
    series.push_back(c);
  }
  return series;
}

void score(benchmark::State& state) {
  constexpr std::size_t kSeries = 256;
  std::mt19937_64 random(1);
  std::vector<std::vector<CheckIn>> all;
  for (std::size_t i = 0; i < kSeries; ++i) {
    const auto family = state.range(0) == kMixed ? static_cast<Family>(i % kMixed)
                                                 : static_cast<Family>(state.range(0));
    all.push_back(series_of(family, static_cast<std::size_t>(state.range(1)), random));
  }
  Scorer scorer{DetectionSettings{}};
  const PairContext context;
  for (auto _ : state) {
    for (const auto& series : all) {
      Verdict verdict = scorer.measure(series);
      scorer.conclude(context, verdict);
      benchmark::DoNotOptimize(verdict.combined_score);
    }
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kSeries));
}

BENCHMARK(score)
    ->ArgNames({"family", "check_ins"})
    ->Args({kJittered, 100})
    ->Args({kFixed, 100})
    ->Args({kMemoryless, 100})
    ->Args({kPeople, 100})
    ->Args({kMixed, 100})
    ->Args({kMixed, 20})
    ->Args({kMixed, 1440});

}  // namespace
}  // namespace beaconry
