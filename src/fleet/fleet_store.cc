#include "fleet/fleet_store.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>
#include <utility>

#include "base/text.h"
#include "fleet/document_text.h"
#include "fleet/drift.h"
#include "fleet/sensor_rows.h"
#include "uplink/zstd_frame.h"

namespace beaconry {
namespace {

constexpr int kCompression = 3;
constexpr std::size_t kSavedAtOnce = 64;

Result<void> check_name(const std::string& name) {
  if (!name.empty() && name.size() <= FleetStore::kLongestName && terminal_safe(name) == name)
    return {};
  return fail(ErrorKind::usage, "name", "sensor '" + terminal_safe(name) + '\'',
              "give it a name of 1 to 64 printable characters");
}

std::string message_of(const Reported& report) {
  return R"({"boot":)" + text_of(report.boot) + R"(,"machine":)" + text_of(report.machine) +
         R"(,"sequence":)" + std::to_string(report.sequence) + R"(,"reported":)" +
         report.state_json + '}';
}

Result<Reported> unpacked(const std::string& report) {
  const auto plain = uplink::decompress(report, kLongestReport + 4096);
  if (!plain) return tl::unexpected<Error>(plain.error());
  return Reported::parse(std::string(plain->view()));
}

// What is asked for of every sensor again and again; the rest is unpacked when somebody looks.
std::shared_ptr<const Reported> short_form(const Reported& report) {
  auto out = std::make_shared<Reported>();
  out->boot = report.boot;
  out->desired_version = report.desired_version;
  out->problems = report.problems;
  for (const ReportedInstance& each : report.instances) {
    ReportedInstance one = each;
    one.health.parts.clear();
    out->instances.push_back(std::move(one));
  }
  return out;
}

bool is_unwell(const ReportedInstance& one) {
  return one.health.is_bad() || one.state == "ERRORED" || one.state == "BROKEN";
}

void count(FleetStore::Sensor& sensor) {
  sensor.drift = 0;
  sensor.unwell = 0;
  if (!sensor.said) return;
  if (sensor.wish.merged) sensor.drift = drift(sensor.wish.instances(), *sensor.said).size();
  for (const ReportedInstance& one : sensor.said->instances)
    sensor.unwell += is_unwell(one) ? 1 : 0;
}

// Both by another's word: a wrong one must not use up what numbers there are.
std::uint64_t highest(const FleetStore::Sensor& sensor) {
  const std::uint64_t told = sensor.memory.version;
  return std::max(sensor.wish.version, told < FleetStore::kMostVersion ? told : 0);
}

}  // namespace

struct FleetStore::Live {
  Found sensor;
  std::shared_ptr<const std::string> report;  // the last message, as a zstd frame; null: none
  bool dirty = false;
};

const std::string& FleetStore::Wish::document() const {
  static const std::string none;
  return merged ? merged->json : none;
}

const std::string& FleetStore::Wish::origin() const {
  static const std::string none;
  return merged ? merged->origin_json : none;
}

const std::vector<DocumentInstance>& FleetStore::Wish::instances() const {
  static const std::vector<DocumentInstance> none;
  return merged ? merged->instances : none;
}

FleetStore::FleetStore(Database& database) : database_(database) {}
FleetStore::~FleetStore() = default;

Result<std::unique_ptr<FleetStore>> FleetStore::open(Database& database) {
  std::unique_ptr<FleetStore> store(new FleetStore(database));
  if (auto done = make_sensor_table(database); !done)
    return tl::unexpected<Error>(std::move(done.error()));
  if (auto done = store->load(); !done) return tl::unexpected<Error>(std::move(done.error()));
  return store;
}

Result<bool> FleetStore::has_sensors(Database& database) {
  if (auto done = make_sensor_table(database); !done)
    return tl::unexpected<Error>(std::move(done.error()));
  return has_sensor_rows(database);
}

Result<void> FleetStore::load() {
  auto rows = read_sensors(database_);
  if (!rows) return tl::unexpected<Error>(std::move(rows.error()));
  for (SensorRow& row : *rows) {
    auto live = std::make_unique<Live>();
    Sensor& sensor = row.sensor;
    sensor.memory.enrolled = sensor.enrolled;
    if (row.heard && !row.report.empty()) {
      // A report that cannot be read again is as none: the next one comes within a minute.
      if (const auto report = unpacked(row.report)) {
        sensor.version = report->version;
        beaconry::hear(sensor.memory, *report, *row.heard);
        sensor.memory.said_since = row.said_since;
        sensor.said = short_form(*report);
        live->report = std::make_shared<const std::string>(std::move(row.report));
      }
    }
    count(sensor);
    const std::string key = sensor.fingerprint;
    names_[sensor.name] = key;
    live->sensor = std::make_shared<const Sensor>(std::move(sensor));
    sensors_[key] = std::move(live);
  }
  return {};
}

Result<FleetStore::Found> FleetStore::known(const std::string& fingerprint) const {
  const std::lock_guard lock(mutex_);
  const auto found = sensors_.find(fingerprint);
  if (found != sensors_.end()) return found->second->sensor;
  return fail(ErrorKind::not_found, "find", "sensor " + terminal_safe(fingerprint),
              "there is none of this key; 'beaconry fleet sensors' lists them");
}

Result<void> FleetStore::name_is_free(const std::string& name,
                                      const std::string& fingerprint) const {
  if (auto right = check_name(name); !right) return right;
  const std::lock_guard lock(mutex_);
  const auto found = names_.find(name);
  if (found == names_.end() || found->second == fingerprint) return {};
  return fail(
      ErrorKind::usage, "name", "sensor '" + name + '\'',
      "sensor " + found->second.substr(0, 16) + " has this name; take another, or rename that");
}

// Under changing_, or of what only reports change: what others changed meanwhile stays.
template <class Change>
void FleetStore::change(const std::string& fingerprint, const Change& change) {
  const std::lock_guard lock(mutex_);
  const auto found = sensors_.find(fingerprint);
  if (found == sensors_.end()) return;
  auto next = std::make_shared<Sensor>(*found->second->sensor);
  change(*next);
  found->second->sensor = std::move(next);
}

Result<void> FleetStore::enrol(const std::string& fingerprint, const std::string& name,
                               Timestamp now) {
  const std::lock_guard one(changing_);
  if (known(fingerprint)) return {};
  if (auto is_free = name_is_free(name, fingerprint); !is_free) return is_free;
  if (size() >= kMostSensors)
    return fail(ErrorKind::limit, "enrol", "sensor '" + name + '\'',
                "there are 10,000; forget some");
  if (auto done = insert_sensor(database_, fingerprint, name, now); !done) return done;
  Sensor sensor;
  sensor.fingerprint = fingerprint;
  sensor.name = name;
  sensor.enrolled = sensor.memory.enrolled = now;
  auto live = std::make_unique<Live>();
  live->sensor = std::make_shared<const Sensor>(std::move(sensor));
  const std::lock_guard lock(mutex_);
  sensors_[fingerprint] = std::move(live);
  names_[name] = fingerprint;
  return {};
}

Result<void> FleetStore::rename(const std::string& fingerprint, const std::string& name) {
  const std::lock_guard one(changing_);
  const auto found = known(fingerprint);
  if (!found) return tl::unexpected<Error>(found.error());
  if (auto is_free = name_is_free(name, fingerprint); !is_free) return is_free;
  auto done = update_name(database_, fingerprint, name);
  if (!done) return done;
  change(fingerprint, [&](Sensor& sensor) {
    names_.erase(sensor.name);
    names_[name] = fingerprint;
    sensor.name = name;
  });
  return done;
}

Result<void> FleetStore::set_labels(const std::string& fingerprint, const Labels& labels) {
  if (auto right = check_labels(labels); !right) return right;
  const std::lock_guard one(changing_);
  if (const auto found = known(fingerprint); !found) return tl::unexpected<Error>(found.error());
  auto done = update_labels(database_, fingerprint, labels);
  if (done) change(fingerprint, [&](Sensor& sensor) { sensor.labels = labels; });
  return done;
}

Result<void> FleetStore::forget(const std::string& fingerprint) {
  const std::lock_guard one(changing_);
  const auto found = known(fingerprint);
  if (!found) return tl::unexpected<Error>(found.error());
  auto done = remove_sensor(database_, fingerprint);
  if (!done) return done;
  const std::lock_guard lock(mutex_);
  names_.erase((*found)->name);
  sensors_.erase(fingerprint);
  return done;
}

Result<void> FleetStore::hand_over(const std::string& from, const std::string& to, Timestamp now) {
  const std::lock_guard one(changing_);
  const auto old = known(from);
  if (!old) return tl::unexpected<Error>(old.error());
  const auto there = known(to);
  auto done = hand_over_row(database_, from, to, now);
  if (!done) return done;
  Sensor sensor;
  sensor.fingerprint = to;
  sensor.name = (*old)->name;
  sensor.labels = (*old)->labels;
  sensor.wish = (*old)->wish;
  sensor.enrolled = sensor.memory.enrolled = now;
  auto live = std::make_unique<Live>();
  live->sensor = std::make_shared<const Sensor>(std::move(sensor));
  const std::lock_guard lock(mutex_);
  if (there) names_.erase((*there)->name);
  sensors_.erase(from);
  names_[(*old)->name] = to;
  sensors_[to] = std::move(live);
  return done;
}

FleetStore::Found FleetStore::find(const std::string& fingerprint_or_name) const {
  const std::lock_guard lock(mutex_);
  auto found = sensors_.find(fingerprint_or_name);
  if (found == sensors_.end()) {
    const auto named = names_.find(fingerprint_or_name);
    if (named != names_.end()) found = sensors_.find(named->second);
  }
  return found == sensors_.end() ? nullptr : found->second->sensor;
}

std::vector<FleetStore::Found> FleetStore::sensors() const {
  const std::lock_guard lock(mutex_);
  std::vector<Found> all;
  all.reserve(names_.size());
  for (const auto& [name, key] : names_) {
    if (const auto found = sensors_.find(key); found != sensors_.end())
      all.push_back(found->second->sensor);
  }
  return all;
}

std::size_t FleetStore::size() const {
  const std::lock_guard lock(mutex_);
  return sensors_.size();
}

bool FleetStore::has_name(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  return names_.count(name) > 0;
}

Result<SensorIdentity::Heard> FleetStore::hear(const std::string& fingerprint,
                                               const Reported& report, const std::string& address,
                                               Timestamp now, bool carried) {
  auto packed =
      std::make_shared<const std::string>(uplink::compress(message_of(report), kCompression));
  auto said = short_form(report);
  const std::lock_guard lock(mutex_);
  const auto found = sensors_.find(fingerprint);
  if (found == sensors_.end())
    return fail(ErrorKind::not_found, "find", "sensor " + terminal_safe(fingerprint),
                "there is none of this key; join it to this server");
  Live& live = *found->second;
  auto next = std::make_shared<Sensor>(*live.sensor);
  // Of one boot its sequence tells what is newer, of two only the time that a file names.
  const Timestamp told =
      std::min(now, report.now.value_or(now) - next->clock_skew.value_or(Duration{0}));
  if (carried && report.boot != next->identity.boot() && next->memory.heard >= told)
    return SensorIdentity::Heard::stale;
  const auto heard =
      next->identity.hear(report.machine, report.boot, report.sequence, address, now);
  if (heard == SensorIdentity::Heard::stale) return heard;
  next->version = report.version;
  if (carried) {
    beaconry::hear(next->memory, report, std::max(next->memory.heard.value_or(told), told));
  } else {
    next->address = address;
    if (report.now) next->clock_skew = *report.now - now;
    beaconry::hear(next->memory, report, now);
  }
  next->said = std::move(said);
  count(*next);
  live.sensor = std::move(next);
  live.report = std::move(packed);
  live.dirty = true;
  return heard;
}

void FleetStore::has(const std::string& fingerprint, std::uint64_t version) {
  change(fingerprint,
         [&](Sensor& sensor) { sensor.memory.version = std::max(sensor.memory.version, version); });
}

void FleetStore::set_back(Timestamp now) {
  const std::lock_guard lock(mutex_);
  for (const auto& [key, live] : sensors_) {
    if (live->sensor->memory.heard <= now) continue;
    auto next = std::make_shared<Sensor>(*live->sensor);
    next->memory.heard = now;
    next->memory.said_since = std::min(next->memory.said_since, now);
    next->memory.told_since = std::min(next->memory.told_since, now);
    next->identity.set_back(now);
    live->sensor = std::move(next);
  }
}

Result<std::string> FleetStore::reported(const std::string& fingerprint) const {
  std::shared_ptr<const std::string> packed;
  {
    const std::lock_guard lock(mutex_);
    const auto found = sensors_.find(fingerprint);
    if (found == sensors_.end())
      return fail(ErrorKind::not_found, "find", "sensor " + terminal_safe(fingerprint),
                  "there is none of this key");
    packed = found->second->report;
  }
  if (!packed) return std::string();
  auto report = unpacked(*packed);
  if (!report) return tl::unexpected<Error>(std::move(report.error()));
  return std::move(report->state_json);
}

Result<void> FleetStore::save() {
  const std::lock_guard one(changing_);
  std::vector<ReportRow> dirty;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [key, live] : sensors_) {
      if (std::exchange(live->dirty, false)) dirty.push_back({live->sensor, live->report});
    }
  }
  // Some at a time: others wait for the database, too.
  for (std::size_t first = 0; first < dirty.size(); first += kSavedAtOnce) {
    const std::span some =
        std::span(dirty).subspan(first, std::min(kSavedAtOnce, dirty.size() - first));
    auto done = update_reports(database_, some);
    if (done) continue;
    const std::lock_guard lock(mutex_);
    for (std::size_t i = first; i < dirty.size(); ++i) {
      const auto found = sensors_.find(dirty[i].sensor->fingerprint);
      if (found != sensors_.end()) found->second->dirty = true;
    }
    return done;
  }
  return {};
}

Result<std::vector<std::string>> FleetStore::wish(const std::vector<Wanted>& wanted,
                                                  Timestamp now) {
  const std::lock_guard one(changing_);
  std::vector<WishRow> next;
  for (const Wanted& each : wanted) {
    const auto sensor = known(each.fingerprint);
    if (!sensor) continue;
    const Wish& held = (*sensor)->wish;
    const bool restored = highest(**sensor) > held.version;
    if (held.version > 0 && !restored &&
        (held.merged == each.merged ||
         (held.document() == each.merged->json && held.origin() == each.merged->origin_json)))
      continue;
    next.push_back({each.fingerprint, {highest(**sensor) + 1, now, each.merged}});
  }
  if (next.empty()) return std::vector<std::string>{};
  auto done = update_wishes(database_, next);
  if (!done) return tl::unexpected<Error>(std::move(done.error()));
  std::vector<std::string> changed;
  for (const auto& [fingerprint, wish] : next) {
    change(fingerprint, [&, &wish = wish](Sensor& sensor) {
      sensor.wish = wish;
      count(sensor);
    });
    changed.push_back(fingerprint);
  }
  return changed;
}

}  // namespace beaconry
