// What is known of the instances, for the report and for people.
#include <nlohmann/json.hpp>
#include <utility>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "sensor/services/bus_services.h"
#include "sensor/services/health_tree.h"

namespace beaconry {
namespace {

using Json = nlohmann::json;
constexpr std::chrono::seconds kHealthPause{5};  // between two words of one instance's health
constexpr std::size_t kLongestTold = 1 << 20;
constexpr std::chrono::seconds kShareWordPause{60};

}  // namespace

// `since` is of the clock of the day as it goes now: who keeps it follows that clock's steps.
bool BusServices::is_healthy_since(const std::string& instance, Timestamp since) const {
  return is_healthy_since_steady(instance, since - (now_ - steady_));
}

bool BusServices::is_healthy_since_steady(const std::string& instance, Timestamp steady) const {
  const auto at = members_.find(instance);
  if (at == members_.end() || !at->second->running) return false;
  const Member& one = *at->second;
  const auto asked = one.health.healthy_asked();
  return asked && one.config.is_settled() && *asked >= steady;
}

Health BusServices::instance_health_of(const Member& member, InstanceReport report) const {
  report.config = member.config.report();
  report.retention = member.retention.report();
  report.events = intake_->counters(member.instance.name);
  report.health = member.observed.health;  // for `since`
  if (report.interfaces.empty()) report.interfaces = member.observed.interfaces;
  if (report.persistent.quota == 0) report.persistent = member.observed.persistent;
  if (report.transient.quota == 0) report.transient = member.observed.transient;
  std::vector<Health> others = resources_->health(member.instance.name);
  others.push_back(intake_->health(member.instance.name));
  others.push_back(member.talk.health(steady_));
  Health health = instance_health(report, member.health.health(), others, now_);
  // Across a restart of the platform, which asks anew, it is as it was.
  if (health.state == member.told.state && member.told.since != Timestamp{}) {
    health.since = member.told.since;
  }
  return health;
}

void BusServices::fill(InstanceReport& report) const {
  const auto at = members_.find(report.name);
  if (at == members_.end()) return;
  const Member& one = *at->second;
  report.config = one.config.report();
  report.retention = one.retention.report();
  report.events = intake_->counters(report.name);
  const Relay::Counters relayed = relay_->counters(report.name);
  report.relayed = {relayed.taken, relayed.bytes, relayed.refused, relayed.waiting};
  report.resources = resources_->report(report.name);
  report.health = instance_health_of(one, report);
}

void BusServices::refresh_health() {
  for (auto& [name, one] : members_) {
    one->observed.health = instance_health_of(*one, one->observed);
    tell_health(*one);
  }
  std::vector<Health> parts = platform_health();
  for (const auto& [name, one] : members_)
    parts.push_back(one->observed.health);
  Health whole = whole_health(options_.sensor, std::move(parts));
  keep_since(whole, health_, now_);
  for (Health& part : whole.parts) {
    const auto at = members_.find(part.name);
    if (at != members_.end()) part.since = at->second->observed.health.since;
  }
  health_ = std::move(whole);
}

// With the server away a share fills by itself, and is full for a while when it is back; else
// somebody floods.
void BusServices::name_past_shares() {
  const bool connected = senders_->report().connected;
  for (auto& [name, one] : members_) {
    const Relay::Counters relayed = relay_->counters(name);
    one->catch_up.see(connected, relayed.waiting, relayed.share, steady_);
  }
  for (const std::string& name : relay_->take_past_share()) {
    const auto at = members_.find(name);
    if (at == members_.end() || steady_ < at->second->next_share_word) continue;
    at->second->next_share_word = steady_ + kShareWordPause;
    const Relay::Counters relayed = relay_->counters(name);
    const std::string numbers = std::to_string(relayed.waiting) + " bytes wait, " +
                                std::to_string(relayed.past_share) + " batches refused";
    if (!connected || at->second->catch_up.lasts(steady_)) {
      log_warning(name + ": no more is taken for the server, which is or was away: " + numbers);
      continue;
    }
    const std::string message = name + " floods the uplink with batches: " + numbers;
    log_warning(message);
    tell(name, "flooding", message,
         Json{{"batches_refused_ever", relayed.past_share}, {"bytes_waiting", relayed.waiting}}
             .dump());
  }
}

std::vector<Health> BusServices::platform_health() const {
  std::vector<Health> parts;
  Health bus;
  bus.name = "bus";
  bus.state = HealthState::healthy;
  if (!broker_->is_up()) {
    bus.state = HealthState::failed;
    bus.cause = "the bus is away";
    bus.evidence = broker_->fault();
    bus.fix = "it is started again by itself; look whether mosquitto is installed";
  }
  parts.push_back(std::move(bus));
  Health store;
  store.name = "events";
  store.state = HealthState::healthy;
  if (!intake_->fault().empty()) {
    store.state = HealthState::failed;
    store.cause = "events cannot be stored";
    store.evidence = intake_->fault();
    store.fix = "make room on the disk; instruments keep their events meanwhile";
  }
  parts.push_back(std::move(store));
  const SensorReport::Uplink way = senders_->report();
  if (!way.server.empty()) {
    Health uplink;
    uplink.name = "uplink";
    uplink.state = HealthState::healthy;
    if (!way.error.empty()) {
      uplink.state = HealthState::degraded;
      uplink.cause = "the server does not take what is sent";
      uplink.evidence = way.error + "; " + std::to_string(way.waiting) + " batches wait";
      uplink.fix = "look whether the server runs and can be reached";
    }
    parts.push_back(std::move(uplink));
  }
  return parts;
}

void BusServices::tell_health(Member& member) {
  const Health& health = member.observed.health;
  if (health.state == HealthState::unknown) return;
  if (health.state == member.told.state && health.cause == member.told.cause) return;
  if (member.told_at != Timestamp{} && steady_ < member.told_at + kHealthPause) return;
  member.told_at = steady_;
  const Timestamp since = health.state == member.told.state ? member.told.since : health.since;
  member.told = {health.state, health.cause, since};
  std::string message = member.instance.name + " is " + std::string(to_string(health.state));
  if (!health.cause.empty()) message += ": " + health.cause;
  tell(member.instance.name, "health", message, health_json(health));
}

Health BusServices::health() const {
  return health_;
}

void BusServices::tell(const std::string& instance, const std::string& word,
                       const std::string& message, const std::string& data_json) {
  intake_->tell(instance, word, message, data_json, now_);
}

void BusServices::read_told() {
  const auto text = read_small_file(options_.folder + "/health.json", kLongestTold);
  if (!text) return;
  const Json kept = Json::parse(*text, nullptr, false);
  if (!kept.is_object()) return;
  for (const auto& [name, one] : kept.items()) {
    if (!one.is_object()) continue;
    const auto state = one.find("state"), cause = one.find("cause"), since = one.find("since");
    if (state == one.end() || cause == one.end() || since == one.end() || !state->is_string() ||
        !cause->is_string() || !since->is_string()) {
      continue;
    }
    Member::Told told;
    for (const HealthState known :
         {HealthState::healthy, HealthState::degraded, HealthState::failed}) {
      if (to_string(known) == state->get<std::string>()) told.state = known;
    }
    told.cause = cause->get<std::string>();
    told.since = parse_rfc3339(since->get<std::string>()).value_or(Timestamp{});
    told_[name] = told;
  }
}

void BusServices::write_slow_state() {
  Json kept = Json::object();
  const auto write = [&](const std::string& name, const Member::Told& told) {
    if (told.state == HealthState::unknown) return;
    kept[name] = {
        {"state", to_string(told.state)}, {"cause", told.cause}, {"since", to_rfc3339(told.since)}};
  };
  for (const auto& [name, told] : told_)
    write(name, told);
  for (const auto& [name, one] : members_)
    write(name, one->told);
  const std::string text = kept.dump(-1, ' ', false, Json::error_handler_t::replace);
  for (const auto& written :
       {intake_->write_recent(), text == told_written_
                                     ? Result<void>{}
                                     : replace_file(options_.folder + "/health.json", text)}) {
    if (!written) log_warning("state of the services: " + written.error().message());
  }
  told_written_ = text;
}

std::vector<int> BusServices::descriptors() const {
  if (broker_->descriptor() < 0) return {};
  return {broker_->descriptor()};
}

std::vector<Services::KeptEvent> BusServices::events(const std::string& instance,
                                                     std::size_t most) const {
  return intake_->recent().newest(instance, most);
}

std::optional<Result<void>> BusServices::fetch_now(const std::string& instance) {
  return resources_->fetch_now(instance, steady_);
}

std::string BusServices::bus_fault() const {
  return broker_->fault();
}

std::uint64_t BusServices::bus_restarts() const {
  return broker_->restarts();
}

SensorReport::Uplink BusServices::uplink() const {
  return senders_->report();
}

}  // namespace beaconry
