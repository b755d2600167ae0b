// The steps of a storm, in their order.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "fleet_storm/stored_events.h"
#include "fleet_storm/storm.h"
#include "fleet_storm/words.h"

namespace beaconry::bench {
namespace {

constexpr std::size_t kJoinAtOnce = 32;
constexpr double kMegabyte = 1e6;

Timestamp now() {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

double seconds(std::chrono::steady_clock::duration length) {
  return std::chrono::duration<double>(length).count();
}

std::uint64_t rate(std::uint64_t count, double length) {
  return static_cast<std::uint64_t>(static_cast<double>(count) / length);
}

}  // namespace

Result<void> Storm::join() {
  const auto begun = Clock::now();
  for (std::size_t i = 0; i < sensors_.size(); ++i) {
    const auto made =
        server_->ask("POST", "/api/v1/enrollments",
                     nlohmann::json{{"kind", "sensor"}, {"name", sensors_[i]->name()}}.dump());
    if (!made) return tl::unexpected<Error>(made.error());
    const std::string token = nlohmann::json::parse(*made, nullptr, false).value("token", "");
    on_loop([&] { sensors_[i]->join(token); });
    const auto few = [&](const Sums& found) { return found.joined + kJoinAtOnce > i; };
    if (auto done = wait_for("sensors to join", few); !done) return done;
  }
  const auto all = [&](const Sums& found) { return found.joined == sensors_.size(); };
  if (auto done = wait_for("all to join", all); !done) return done;
  row("all enrolled and joined, one after the other",
      with_unit(seconds(Clock::now() - begun), 1, "s"));
  return {};
}

Result<void> Storm::come_online() {
  if (auto done = wish(); !done) return done;
  const auto begun = Clock::now();
  on_loop([&] {
    for (const auto& sensor : sensors_)
      sensor->go_online();
  });
  if (auto done = wait_for_newest("the first documents"); !done) return done;
  row("all connect at once, get their documents and have reported",
      with_unit(seconds(Clock::now() - begun), 1, "s"));
  look_at_memory();
  row("memory of the server then (VmRSS)",
      with_unit(static_cast<double>(server_->usage().resident) / kMegabyte, 0, "MB"));
  return {};
}

Result<void> Storm::change_wishes() {
  std::vector<double> checked, reported;
  for (unsigned i = 0; i < plan_.changes; ++i) {
    const auto begun = Clock::now();
    if (auto done = wish(); !done) return done;
    if (auto done = wait_for_newest("a change everywhere"); !done) return done;
    on_loop([&] {
      for (const auto& sensor : sensors_) {
        checked.push_back(seconds(sensor->seen().checked - begun));
        reported.push_back(seconds(sensor->seen().reported - begun));
      }
    });
  }
  spread_row("a change for all, until a sensor has checked it", Spread::of(checked), "5 s");
  spread_row("until its report of that was taken", Spread::of(reported), "10 s");
  look_at_memory();
  return {};
}

Result<void> Storm::tell_events() {
  const double processor = server_->usage().processor_seconds;
  const auto begun = Clock::now();
  on_loop([&] {
    for (std::size_t i = 0; i < sensors_.size(); ++i) {
      next_batch_.push_back(begun + std::chrono::microseconds{1'000'000 * i / sensors_.size()});
      sensors_[i]->delays().clear();
    }
    paced_until_ = begun + std::chrono::seconds{plan_.paced_seconds};
  });
  std::this_thread::sleep_until(begun + std::chrono::seconds{plan_.paced_seconds});
  const Sums at_end = on_loop([&] { return sums(); });
  const double used = server_->usage().processor_seconds;
  const auto none = [](const Sums& found) { return found.waiting == 0; };
  if (auto done = wait_for("the events of a minute", none); !done) return done;
  const double length = seconds(Clock::now() - begun);
  std::vector<double> delays;
  on_loop([&] {
    for (const auto& sensor : sensors_) {
      delays.insert(delays.end(), sensor->delays().begin(), sensor->delays().end());
    }
  });
  const Sums all = on_loop([&] { return sums(); });
  row(whole(std::uint64_t{plan_.sensors} * plan_.events_a_batch) + " events/s told for " +
          std::to_string(plan_.paced_seconds) + " s, in batches of " +
          std::to_string(plan_.events_a_batch) + ": stored a second",
      whole(rate(all.accepted, length)), "20,000");
  row("of them not yet acknowledged when the last one was told",
      whole(at_end.told - at_end.accepted));
  spread_row("from telling a batch until it was acknowledged", Spread::of(delays), "");
  row("processor time of the server meanwhile",
      with_unit((used - processor) / plan_.paced_seconds * 100, 0, "%"));
  look_at_memory();
  return {};
}

Result<void> Storm::restart() {
  // In the midst of batches, so that some come again that are stored already.
  on_loop([&] {
    for (const auto& sensor : sensors_)
      sensor->add_events(kInstruments, now(), Duration{0});
  });
  const auto before = on_loop([&] { return std::pair(traffic_, sums()); });
  const auto killed = Clock::now();
  server_->kill();
  if (auto done = server_->start(); !done) return done;
  const auto up = Clock::now();
  const Traffic at_start = on_loop([&] {
    most_handshakes_ = 0;
    return traffic_;
  });
  const auto all = [&](const Sums& found) { return found.streams == sensors_.size(); };
  if (auto done = wait_for("all streams", all); !done) return done;
  const auto streams = Clock::now();
  const auto none = [](const Sums& found) { return found.waiting == 0; };
  if (auto done = wait_for("what was under way", none); !done) return done;
  const auto after = on_loop([&] {
    most_handshakes_ = std::max(most_handshakes_, traffic_.handshakes - handshakes_before_);
    return std::pair(traffic_, sums());
  });
  row("`kill -9` and restart: until it listens, its journal read",
      with_unit(seconds(up - killed), 2, "s"));
  row("from then until every sensor has its stream", with_unit(seconds(streams - up), 1, "s"));
  row("tries that found nobody, while it was down",
      whole(at_start.refused + at_start.failed - before.first.refused - before.first.failed));
  const std::uint64_t failed = after.first.failed + after.first.refused + after.first.busy -
                               at_start.failed - at_start.refused - at_start.busy;
  row("connections and requests refused or broken once it listened", whole(failed), "0");
  row("most TLS handshakes in a second", whole(most_handshakes_));
  expect(failed == 0, whole(failed) + " connections or requests failed after the restart: " +
                          after.second.last_error);
  expect(after.second.documents == before.second.documents,
         "documents were sent again to sensors that have the newest");
  return {};
}

Result<void> Storm::go_away_and_return() {
  const std::size_t half = sensors_.size() / 2;
  const std::uint64_t before = on_loop([&] {
    for (std::size_t i = 0; i < half; ++i) {
      sensors_[i]->add_events(kInstruments, now(), Duration{0});
      sensors_[i]->go_offline();
      sensors_[i]->seen().documents = 0;
    }
    return sums().accepted;
  });
  for (int i = 0; i < 3; ++i) {
    if (auto done = wish(); !done) return done;
  }
  if (auto done = wait_for_newest("those that stayed", half); !done) return done;
  const auto day_began = now() - std::chrono::minutes{plan_.away_minutes};
  const double processor = server_->usage().processor_seconds;
  const auto begun = Clock::now();
  on_loop([&] {
    for (std::size_t i = 0; i < half; ++i) {
      for (unsigned minute = 0; minute < plan_.away_minutes; ++minute) {
        sensors_[i]->add_events(kInstruments, day_began + std::chrono::minutes{minute},
                                Duration{0});
      }
      sensors_[i]->go_online();
    }
  });
  const auto drained = [](const Sums& found) { return found.waiting == 0; };
  if (auto done = wait_for("the events of a day", drained); !done) return done;
  const double length = seconds(Clock::now() - begun);
  const double used = server_->usage().processor_seconds;
  if (auto done = wait_for_newest("those who were away"); !done) return done;
  const std::uint64_t came = on_loop([&] { return sums().accepted; }) - before;
  row("half away for a day, each minute a batch of an event an instrument: " + whole(came) +
          " events are back in",
      with_unit(length, 0, "s"));
  row("of these a second: batches, events",
      whole(rate(came / kInstruments, length)) + ", " + whole(rate(came, length)));
  row("processor time of the server meanwhile",
      with_unit((used - processor) / length * 100, 0, "%"));
  const auto more = on_loop([&] {
    return std::count_if(sensors_.begin(), sensors_.begin() + static_cast<std::ptrdiff_t>(half),
                         [](const auto& sensor) { return sensor->seen().documents != 1; });
  });
  row("of them got other than the newest of three documents, once",
      whole(static_cast<std::uint64_t>(more)), "0");
  expect(more == 0,
         std::to_string(more) + " sensors got other than one document as they came back");
  look_at_memory();
  return {};
}

Result<void> Storm::look_at_sensors() {
  const auto timed = server_->time("/api/v1/fleet/sensors?limit=" + std::to_string(plan_.sensors));
  if (!timed) return tl::unexpected<Error>(timed.error());
  row("`GET /api/v1/fleet/sensors`, all of them (" + whole(timed->bytes / 1000) +
          " kB): first byte, last",
      with_unit(timed->first_byte * 1e3, 0, "ms") + ", " + with_unit(timed->whole * 1e3, 0, "ms"),
      "1 s");
  const auto fleet = server_->time("/api/v1/fleet");
  if (!fleet) return tl::unexpected<Error>(fleet.error());
  row("`GET /api/v1/fleet`", with_unit(fleet->whole * 1e3, 0, "ms"), "1 s");
  const auto told = server_->ask("GET", "/api/v1/fleet");
  if (!told) return tl::unexpected<Error>(told.error());
  const auto overview = nlohmann::json::parse(*told, nullptr, false);
  const auto healthy = overview.value("/states/healthy"_json_pointer, std::uint64_t{0});
  expect(healthy == sensors_.size(), "not all sensors are healthy to the server: " +
                                         overview.value("states", nlohmann::json()).dump());
  expect(overview.value("drift", std::uint64_t{1}) == 0 &&
             overview.value("conflicts", std::uint64_t{1}) == 0,
         "sensors drift or conflict: " + told->substr(0, 500));
  return {};
}

Result<void> Storm::count_stored() {
  std::vector<ToldEvents> told;
  const Sums found = on_loop([&] {
    for (const auto& sensor : sensors_) {
      told.push_back({sensor->number(), sensor->fingerprint(), sensor->runs()});
      sensor->go_offline();
    }
    return sums();
  });
  look_at_memory();
  row("most memory of the server, ever (VmHWM)",
      with_unit(static_cast<double>(peak_memory_) / kMegabyte, 0, "MB"), "500 MB");
  expect(found.refusals == 0,
         whole(found.refusals) + " answers were refusals: " + found.last_error);
  expect(found.refused_documents == 0,
         whole(found.refused_documents) + " documents were not rightly signed, or old");
  expect(found.refused_batches == 0, whole(found.refused_batches) + " batches were refused");
  if (auto done = server_->stop(); !done) return done;
  const auto stored = check_stored_events(server_->database(), told);
  if (!stored) return tl::unexpected<Error>(stored.error());
  row("events told in all; stored, missing, twice or changed",
      whole(stored->expected) + "; " + whole(stored->stored) + ", " + whole(stored->missing) +
          ", " + whole(stored->strange),
      "all, 0, 0");
  expect(stored->missing == 0, whole(stored->missing) + " events are not in the database");
  expect(stored->strange == 0, whole(stored->strange) + " events are there twice or changed");
  return {};
}

}  // namespace beaconry::bench
