// The hunt that never ends: how fast it takes events, how long an analysis takes, and what both
// cost in memory. A program of its own, since it measures the memory of the whole process.
//
//   analysis_bench [pairs] [check-ins a pair] [beacons|mixed] [threads]
//
// Prints one row: pairs, check-ins a pair, events/s of one core, seconds of an analysis and of the
// cores' work on it, memory before and at its highest during the analysis, the budget of 16 bytes a
// check-in and 300 a pair, the highest divided by it, and how many pairs were kept.
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "hunt/live_hunt.h"

namespace beaconry {
namespace {

constexpr Timestamp kStart{std::chrono::seconds{1'700'000'000}};

// Seconds that a processor worked for this thread, or for the whole process.
double worked(clockid_t clock) {
  timespec t{};
  clock_gettime(clock, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

// "VmHWM" or "VmRSS" of this process, in bytes.
std::size_t memory(const std::string& which) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind(which + ':', 0) == 0)
      return std::strtoull(line.c_str() + which.size() + 1, nullptr, 10) << 10;
  }
  return 0;
}

void run(std::uint32_t pairs, std::uint32_t check_ins, bool beacons, unsigned threads) {
  LiveHunt::Settings settings;
  settings.hunt.threads = threads;
  settings.hunt.memory_limit = std::size_t{64} << 30;
  settings.retention = std::chrono::hours{24 * 365};
  settings.most_open_flows = 0;
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> uniform(0, 1);
  std::vector<double> next(pairs);
  for (double& t : next)
    t = 60 * uniform(random);
  const std::size_t before = memory("VmRSS");
  std::ofstream("/proc/self/clear_refs") << 5;  // the highest so far is forgotten

  LiveHunt live(settings);
  double adding = 0;
  std::vector<FlowEvent> batch(4096);
  std::size_t filled = 0;
  const auto send = [&] {
    const double began = worked(CLOCK_THREAD_CPUTIME_ID);
    const auto sink = live.sink("edge", kStart + std::chrono::hours{24 * 300});
    for (std::size_t i = 0; i < filled; ++i)
      sink->add(batch[i]);
    sink->settle();
    adding += worked(CLOCK_THREAD_CPUTIME_ID) - began;
    filled = 0;
  };
  for (std::uint32_t n = 0; n < check_ins; ++n) {
    for (std::uint32_t p = 0; p < pairs; ++p) {
      const double u = uniform(random);
      const bool beacon = beacons || p % 2 == 0;
      next[p] += beacon ? 60 * (1 - 0.2 * u) : 1 + 5 * std::pow(1 - u, -1.2);
      FlowEvent& e = batch[filled++];
      e.kind = FlowEventKind::open;
      e.pair.source = IpAddress::v4(0x0a000000U + p / 16);
      e.pair.destination = IpAddress::v4(0x33000000U + p * 2654435761U % 0x40000000U);
      e.pair.port = 443;
      e.time = kStart + Duration{static_cast<std::int64_t>(next[p] * 1e6)};
      e.bytes_out = beacon ? 420 : static_cast<std::uint64_t>(400 + 4000 * u);
      e.bytes_in = static_cast<std::uint64_t>(900 + 3000 * u);
      if (filled == batch.size()) send();
    }
  }
  send();
  const double events = static_cast<double>(pairs) * check_ins;
  const std::size_t stored = memory("VmHWM");
  const double began = worked(CLOCK_PROCESS_CPUTIME_ID);
  const auto analysis = live.analyze([] { return true; });
  const double analysing = worked(CLOCK_PROCESS_CPUTIME_ID) - began;
  const std::size_t peak = memory("VmHWM");
  const double budget = 16 * events + 300.0 * pairs;
  const auto grown = static_cast<double>(peak - std::min(before, peak));
  std::printf("| %u | %u | %.2f M | %.2f s | %.2f s | %.0f MB | %.0f MB | %.0f MB | %.2f | %zu |\n",
              pairs, check_ins, events / adding / 1e6, analysis->seconds, analysing,
              static_cast<double>(stored - std::min(before, stored)) / 1e6, grown / 1e6,
              budget / 1e6, grown / budget, analysis->pairs.size());
}

}  // namespace
}  // namespace beaconry

int main(int argc, char** argv) {
  const auto number = [&](int at, unsigned long otherwise) {
    return static_cast<std::uint32_t>(argc > at ? std::strtoul(argv[at], nullptr, 10) : otherwise);
  };
  beaconry::run(number(1, 100'000), number(2, 100), argc > 3 && argv[3][0] == 'b', number(4, 2));
}
