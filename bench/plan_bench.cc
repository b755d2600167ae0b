// The plan of a whole long cycle, all methods and every port of both families: time a try, and the
// memory that is held for it.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <fstream>

#include "escape/plan.h"

namespace beaconry {
namespace {

class NoLink : public Link {
 public:
  const InterfaceFacts& facts() const override { return facts_; }
  Result<void> send(ByteView, Timestamp) override { return {}; }
  Result<std::optional<ByteView>> receive(std::chrono::milliseconds) override {
    return std::optional<ByteView>();
  }
  int descriptor() const override { return -1; }
  std::uint64_t drops() const override { return 0; }

 private:
  InterfaceFacts facts_;
};

double resident_bytes() {
  std::size_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages >> pages;
  return static_cast<double>(pages) * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

void long_cycle(benchmark::State& state) {
  ProbeConfig config;
  config.profile = Profile::lab;
  config.home.addresses = {*IpAddress::parse("203.0.113.10"), *IpAddress::parse("2001:db8::10")};
  config.home.zone = "t.example.org";
  Segment segment;
  for (const char* address : {"10.0.1.9", "2001:db8:1::9"}) {
    Segment::OwnAddress own;
    own.address = *IpAddress::parse(address);
    segment.add_own(own);
  }
  segment.add_resolver(*IpAddress::parse("10.0.1.1"));
  NoLink link;
  const Egress egress(config, link);
  std::uint64_t tries = 0;
  double grown = 0;
  for (auto _ : state) {
    Plan plan(config, segment, egress, {});
    const double before = resident_bytes();
    while (plan.next(Timestamp{std::chrono::hours(1)}))
      ++tries;
    grown = resident_bytes() - before;
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(tries));
  state.counters["tries"] = static_cast<double>(tries) / static_cast<double>(state.iterations());
  state.counters["bytes"] = grown;
}
BENCHMARK(long_cycle)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace beaconry
