#include "fleet_storm/storm.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "fleet_storm/words.h"

namespace beaconry::bench {
namespace {

constexpr std::chrono::milliseconds kTick{20};
constexpr std::chrono::minutes kPatience{30};
constexpr std::chrono::seconds kBetweenWords{10};

Timestamp now() {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

}  // namespace

Spread Spread::of(std::vector<double> values) {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  const auto at = [&](double part) {
    return values[static_cast<std::size_t>(std::ceil(part * static_cast<double>(values.size()))) -
                  1];
  };
  return {at(0.5), at(0.99), values.back()};
}

Storm::~Storm() {
  loop_.stop();
  if (thread_.joinable()) thread_.join();
}

Result<void> Storm::run() {
  for (const auto step : {&Storm::begin, &Storm::join, &Storm::come_online, &Storm::change_wishes,
                          &Storm::tell_events, &Storm::restart, &Storm::go_away_and_return,
                          &Storm::look_at_sensors, &Storm::count_stored, &Storm::look_at_beacons}) {
    if (auto done = (this->*step)(); !done) return done;
  }
  return {};
}

Result<void> Storm::begin() {
  auto server = ServerUnderTest::make(plan_.program, plan_.folder);
  if (!server) return tl::unexpected<Error>(server.error());
  server_ = std::move(*server);
  if (auto done = server_->start(); !done) return done;
  for (unsigned i = 0; i < plan_.sensors; ++i) {
    auto sensor =
        SimulatedSensor::make(loop_, traffic_, {server_->endpoint(), server_->ca_pem()}, i);
    if (!sensor) return tl::unexpected<Error>(sensor.error());
    sensors_.push_back(std::move(*sensor));
  }
  loop_.every(kTick, [this] { tick(); });
  thread_ = std::thread([this] { loop_.run(); });
  return {};
}

Storm::Sums Storm::sums() const {
  Sums sums;
  for (const auto& sensor : sensors_) {
    const SimulatedSensor::Seen& seen = sensor->seen();
    sums.joined += sensor->has_joined() ? 1 : 0;
    sums.streams += sensor->has_stream() ? 1 : 0;
    sums.reported += seen.version > 0 && seen.reported_version == seen.version ? 1 : 0;
    sums.waiting += sensor->waiting_batches();
    sums.told += sensor->events();
    sums.accepted += seen.accepted;
    sums.documents += seen.documents;
    sums.refused_documents += seen.refused_documents;
    sums.refusals += seen.refusals;
    sums.refused_batches += seen.refused_batches;
    if (!seen.last_error.empty()) sums.last_error = sensor->name() + ": " + seen.last_error;
  }
  return sums;
}

void Storm::tick() {
  const auto at = Clock::now();
  if (at >= second_began_ + std::chrono::seconds{1}) {
    most_handshakes_ = std::max(most_handshakes_, traffic_.handshakes - handshakes_before_);
    handshakes_before_ = traffic_.handshakes;
    second_began_ = at;
  }
  for (std::size_t i = 0; i < sensors_.size(); ++i) {
    if (i < next_batch_.size() && next_batch_[i] <= at && next_batch_[i] < paced_until_) {
      sensors_[i]->add_events(plan_.events_a_batch, now(), Duration{0});
      next_batch_[i] += std::chrono::seconds{1};
    }
    sensors_[i]->tick(at);
  }
}

Result<void> Storm::wait_for(const std::string& what,
                             const std::function<bool(const Sums&)>& done) {
  const auto until = Clock::now() + kPatience;
  auto told = Clock::now();
  for (;;) {
    const Sums found = on_loop([&] { return sums(); });
    if (done(found)) return {};
    const std::string words = whole(found.joined) + " joined, " + whole(found.streams) +
                              " streams, " + whole(found.reported) + " reported, " +
                              whole(found.waiting) + " batches wait; " + found.last_error;
    if (found.refusals > sensors_.size() || Clock::now() > until) {
      return fail(ErrorKind::io, "wait for", what, words);
    }
    if (Clock::now() > told + kBetweenWords) {
      told = Clock::now();
      say("  waiting for " + what + ": " + words);
      look_at_memory();
    }
    std::this_thread::sleep_for(kTick);
  }
}

Result<void> Storm::wait_for_newest(const std::string& what, std::size_t first) {
  const auto list =
      server_->ask("GET", "/api/v1/fleet/sensors?limit=" + std::to_string(sensors_.size()));
  if (!list) return tl::unexpected<Error>(list.error());
  const auto parsed = nlohmann::json::parse(*list, nullptr, false);
  std::map<std::string, std::uint64_t> wished;
  if (!parsed.is_object() || !parsed.contains("sensors") || !parsed["sensors"].is_array())
    return fail(ErrorKind::malformed, "read", "the server's sensors", "they are no list");
  for (const auto& sensor : parsed["sensors"]) {
    if (sensor.is_object())
      wished[sensor.value("fingerprint", "")] = sensor.value("desired_version", std::uint64_t{0});
  }
  return wait_for(what, [&](const Sums&) {
    return on_loop([&] {
      return std::all_of(sensors_.begin() + static_cast<std::ptrdiff_t>(first), sensors_.end(),
                         [&](const auto& sensor) {
                           return sensor->seen().reported_version > 0 &&
                                  sensor->seen().reported_version == wished[sensor->fingerprint()];
                         });
    });
  });
}

Result<void> Storm::wish() {
  auto done = server_->ask("PUT", "/api/v1/fleet/desired/fleet",
                           R"({"document":)" + wished_layer(next_wish_++) + '}');
  if (!done) return tl::unexpected<Error>(done.error());
  return {};
}

void Storm::say(const std::string& words) const {
  std::fprintf(stderr, "%s\n", words.c_str());
}

void Storm::row(const std::string& what, const std::string& figure, const std::string& target) {
  const std::string line = "| " + what + " | " + figure + " | " + target + " |";
  table_ += line + '\n';
  say(line);
}

void Storm::spread_row(const std::string& what, const Spread& spread, const std::string& target) {
  row(what + ": median, 99 %, last",
      with_unit(spread.median, 2, "s") + ", " + with_unit(spread.p99, 2, "s") + ", " +
          with_unit(spread.most, 2, "s"),
      target);
}

void Storm::expect(bool holds, const std::string& fault) {
  if (holds) return;
  faults_.push_back(fault);
  say("FAULT: " + fault);
}

void Storm::look_at_memory() {
  peak_memory_ = std::max(peak_memory_, server_->usage().peak);
}

}  // namespace beaconry::bench
