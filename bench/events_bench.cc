// events_bench FOLDER [BATCH [THREADS [KEPT [SECONDS]]]]: events of instruments a second into the
// server's database, on disk as it runs: batches of BATCH events of 1,000 sensors by THREADS at a
// time, over KEPT events that are there already. One line of numbers; bench/events makes the table.
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "base/text.h"
#include "control/instrument_events.h"

namespace beaconry {
namespace {

constexpr unsigned kSensors = 1000, kInstruments = 5;

// Alerts go nowhere here.
class Nowhere final : public AlertQueue {
 public:
  Result<void> push(const Alert&) override { return {}; }
  void set_sinks(NamedSinks) override {}
  double fill_percent() const override { return 0; }
  std::uint64_t drops() const override { return 0; }
  std::vector<SinkStatus> sinks() const override { return {}; }
};

Timestamp now() {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

// Random, as version 4 is.
std::string uuid(std::uint64_t n) {
  const auto mixed = [](std::uint64_t x) {
    x ^= x >> 33, x *= 0xff51afd7ed558ccd, x ^= x >> 33, x *= 0xc4ceb9fe1a85ec53, x ^= x >> 33;
    return x;
  };
  char text[40];
  const std::uint64_t a = mixed(n + 1), b = mixed(~n);
  std::snprintf(text, sizeof text, "%08x-%04x-4%03x-8%03x-%012llx", static_cast<unsigned>(a >> 32),
                static_cast<unsigned>(a & 0xffff), static_cast<unsigned>(a >> 16 & 0xfff),
                static_cast<unsigned>(b >> 52),
                static_cast<unsigned long long>(b & 0xffffffffffff));
  return text;
}

// As an instrument tells of its state.
InstrumentEvent event(std::uint64_t n) {
  InstrumentEvent event;
  event.instance = "beacon_" + std::to_string(n % kInstruments);
  event.uuid = uuid(n);
  event.time = now();
  event.type = "instruments.beacon.ev.status";
  event.message = "looked at 1042 pairs of 311 hosts in 0.8 s, none of them new";
  event.data_json = R"({"pairs":1042,"hosts":311,"seconds":0.81,"beacons":0,"version":"1.4.2",)"
                    R"("resources":{"rules":"2026-11-21","model":"7"},"interface":"eth1"})";
  return event;
}

struct Bench {
  std::unique_ptr<Database> database;
  std::unique_ptr<Probes> probes;
  std::unique_ptr<Alerts> alerts;
  std::unique_ptr<Triage> triage;
  Nowhere queue;
  EventHub hub;
  std::unique_ptr<Leaks> leaks;
  std::unique_ptr<InstrumentEvents> events;
  std::atomic<std::uint64_t> next{1};

  explicit Bench(const std::string& path) {
    database = std::move(Database::open(path).value());
    probes = std::move(Probes::open(*database).value());
    alerts = std::move(Alerts::open(*database).value());
    triage = std::move(Triage::open(*database).value());
    const Leaks::Parts parts{*database, *probes, *triage, *alerts, queue, hub};
    leaks = std::move(Leaks::open(parts, {}, now()).value());
    events = std::move(InstrumentEvents::open({*database, *triage, *leaks, hub}).value());
    InstrumentEvents::Settings settings;
    settings.most = 100'000'000;
    events->set_settings(settings);
  }

  bool take(std::uint64_t size) {
    const std::uint64_t first = next.fetch_add(size);
    const std::uint64_t batch = first / size;
    char edge[65];
    std::snprintf(edge, sizeof edge, "%064llx",
                  static_cast<unsigned long long>(batch % kSensors * 0x9e3779b97f4a7c15));
    InstrumentEvents::Batch told;
    told.edge = edge;
    told.sensor = "sensor" + std::to_string(batch % kSensors);
    told.incarnation = "0123456789abcdef0123456789abcdef";
    told.sequence = batch / kSensors + 1;
    for (std::uint64_t i = 0; i < size; ++i)
      told.events.push_back(event(first + i));
    const auto taken = events->take(told, now());
    if (!taken) std::fprintf(stderr, "events_bench: %s\n", taken.error().message().c_str());
    return taken && *taken;
  }
};

int run(const std::string& folder, std::uint64_t size, unsigned threads, std::uint64_t kept,
        double seconds) {
  Bench bench(folder + "/events.db");
  while (bench.next < kept) {
    if (!bench.take(1000)) return 1;
  }
  bench.next = kept + 1'000'000 * size;  // other sequences
  std::atomic<std::uint64_t> stored{0};
  std::atomic<bool> failed{false};
  const auto begun = std::chrono::steady_clock::now();
  const auto elapsed = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  };
  std::vector<std::thread> all;
  for (unsigned t = 0; t < threads; ++t) {
    all.emplace_back([&] {
      while (elapsed() < seconds && !failed) {
        if (bench.take(size)) {
          stored += size;
        } else {
          failed = true;
        }
      }
    });
  }
  for (std::thread& one : all)
    one.join();
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  std::printf("%.0f events/s, %ld MB\n", static_cast<double>(stored) / elapsed(),
              usage.ru_maxrss / 1024);
  return failed ? 1 : 0;
}

}  // namespace
}  // namespace beaconry

int main(int count, char** words) {
  const auto number = [&](int at, unsigned fallback) {
    return count > at ? static_cast<unsigned>(std::strtoul(words[at], nullptr, 10)) : fallback;
  };
  if (count < 2) {
    std::fprintf(stderr, "usage: events_bench FOLDER [BATCH [THREADS [KEPT [SECONDS]]]]\n");
    return 2;
  }
  return beaconry::run(words[1], std::max(1U, number(2, 20)), std::max(1U, number(3, 6)),
                       number(4, 0), number(5, 5));
}
