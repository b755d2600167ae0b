// Records into a spool, each on disk before its writer goes on; writers share one fdatasync.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>

#include "spool/spool.h"

namespace beaconry {
namespace {

// In the working folder: a temporary one may be in memory.
std::string folder() {
  return "spool-bench-" + std::to_string(::getpid());
}

std::unique_ptr<Spool> spool;

void open(const benchmark::State&) {
  Spool::Options options;
  options.folder = folder();
  if (auto opened = Spool::open(options)) spool = std::move(*opened);
}
void close(const benchmark::State&) {
  spool.reset();
  std::filesystem::remove_all(folder());
}

void append(benchmark::State& state) {
  const std::string record(static_cast<std::size_t>(state.range(0)), 'x');
  for (auto _ : state) {
    const auto sequence = spool->append(record, Timestamp{});
    if (!sequence) state.SkipWithError(sequence.error().message().c_str());
  }
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(append)->Setup(open)->Teardown(close)->Arg(200)->Arg(1 << 20)->UseRealTime();

void append_and_sync(benchmark::State& state) {
  const std::string record(static_cast<std::size_t>(state.range(0)), 'x');
  for (auto _ : state) {
    const auto sequence = spool->append(record, Timestamp{});
    if (!sequence || !spool->sync(*sequence)) state.SkipWithError("cannot append");
  }
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(append_and_sync)
    ->Setup(open)
    ->Teardown(close)
    ->Arg(200)
    ->Arg(1 << 20)
    ->Threads(1)
    ->Threads(8)
    ->UseRealTime();

void read(benchmark::State& state) {
  const std::string record(static_cast<std::size_t>(state.range(0)), 'x');
  for (int i = 0; i < 64; ++i)
    benchmark::DoNotOptimize(spool->append(record, Timestamp{}).has_value());
  std::uint64_t sequence = 0;
  for (auto _ : state) {
    const auto got = spool->read(1 + sequence++ % 64);
    if (!got || !*got) state.SkipWithError("cannot read");
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(read)->Setup(open)->Teardown(close)->Arg(1 << 20);

}  // namespace
}  // namespace beaconry
