// What instruments say, and what they are told.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "bus/json_fields.h"
#include "bus/topics.h"
#include "sensor/services/bus_access.h"
#include "sensor/services/bus_services.h"
#include "uplink/instrument_event_batch.h"

namespace beaconry {
namespace {

constexpr std::size_t kMostFound = 100;
constexpr std::size_t kMostEarly = 1000, kMostEarlyBytes = 1 << 20;  // an instance
constexpr std::chrono::seconds kMalformedPause{60};
constexpr std::size_t kMostAcknowledged = 200;  // in one message

// Of an event that is not as it should be, so that its sender hears of it; empty: nobody knows.
std::string event_uuid(const std::string& payload) {
  const auto json = parse_json(payload, bounds::kMessage);
  if (!json || !json->is_object()) return {};
  const auto event = json->find("event");
  if (event == json->end() || !event->is_object()) return {};
  const auto uuid = event->find("uuid");
  if (uuid == event->end() || !uuid->is_string()) return {};
  std::string text = uuid->get<std::string>();
  return is_event_uuid(text) ? text : std::string();
}

}  // namespace

bool BusServices::say(const std::string& instance, const ToInstrument& message) {
  if (!broker_->is_up()) return false;
  return broker_->publish(topics::to_instrument(instance), encode(message)).has_value();
}

bool BusServices::charge(Member& member, std::size_t bytes) {
  const std::string& name = member.instance.name;
  const auto verdict = member.talk.charge(bytes, steady_);
  const auto name_it = [&](const std::string& message) {
    log_warning(message);
    tell(name, "flooding", message, nlohmann::json{{"dropped_ever", member.talk.dropped()}}.dump());
  };
  if (verdict == TalkLimit::Verdict::bar) {
    name_it(name + " floods the bus with messages and is kept off it for " +
            std::to_string(TalkLimit::kBar.count()) + " seconds");
    if (const auto barred = accounts_.bar(name, *broker_); !barred) {
      log_error("bus account of " + name + ": " + barred.error().message());
    }
  } else if (member.talk.take_news(steady_)) {
    name_it(name + " floods the bus with messages; what is too much is dropped");
  }
  return verdict == TalkLimit::Verdict::take;
}

void BusServices::admit_again(Member& member) {
  if (!member.talk.take_end_of_bar(steady_)) return;
  const std::string& name = member.instance.name;
  if (const auto admitted = accounts_.admit(name, *broker_); !admitted) {
    log_error("bus account of " + name + ": " + admitted.error().message());
  }
}

// One that ran on while the platform was away comes back to the bus before it is handed over: what
// it says then, such as hello and its events, it says again only after a while. Past the bound that
// is soon enough.
void BusServices::keep_early(const std::string& instance, const std::string& payload) {
  if (!accounts_.has(instance)) return;
  Early& early = early_[instance];
  if (early.payloads.size() >= kMostEarly || early.bytes + payload.size() > kMostEarlyBytes) return;
  early.payloads.push_back(payload);
  early.bytes += payload.size();
}

void BusServices::take(const MqttClient::Message& message) {
  const std::string from_direct(topics::sender_of_direct(message.topic));
  const std::string instance =
      from_direct.empty() ? std::string(topics::instance_of(message.topic)) : from_direct;
  const auto at = members_.find(instance);
  if (at == members_.end()) {
    if (from_direct.empty()) keep_early(instance, message.payload);
    return;
  }
  Member& one = *at->second;
  // Others have a direct message already; that there are not too many is ours to see to.
  if (!charge(one, message.payload.size()) || !from_direct.empty()) return;
  auto decoded = decode_from_instrument(message.payload);
  if (!decoded) {
    intake_->malformed(instance);
    if (!charge(one, message.payload.size())) return;
    if (const std::string uuid = event_uuid(message.payload); !uuid.empty()) {
      say(instance, to_instrument::Refuse{{uuid}, decoded.error().message()});
    }
    if (steady_ >= one.next_malformed_word) {
      one.next_malformed_word = steady_ + kMalformedPause;
      log_warning(instance +
                  " says what is no message of the protocol: " + decoded.error().message());
    }
    return;
  }
  take(one, std::move(*decoded));
}

void BusServices::take(Member& member, FromInstrument message) {
  const std::string& name = member.instance.name;
  const bool hello = std::holds_alternative<from_instrument::Hello>(message);
  const auto* health = std::get_if<from_instrument::HealthAnswer>(&message);
  if (health != nullptr && !member.health.answered(*health, steady_, now_)) {
    health = nullptr;
    intake_->malformed(name);
  }
  if (health == nullptr) member.health.heard(steady_, hello);
  member.config.heard(hello, steady_);
  member.retention.heard(hello);
  // Whatever it says, it is there: its hello may have been lost. Before its start is known only a
  // hello is of this run.
  member.there = member.there || hello || member.running;
  if (auto* event = std::get_if<from_instrument::Publish>(&message)) {
    intake_->offer(name, std::move(event->event), steady_);
  } else if (auto* answer = std::get_if<from_instrument::Configured>(&message)) {
    member.config.answered(*answer, steady_);
    keep(member);
  } else if (auto* receipt = std::get_if<from_instrument::Receipt>(&message)) {
    if (!member.retention.receipt(receipt->receipt, steady_, now_)) intake_->malformed(name);
    keep(member);
  } else if (auto* question = std::get_if<from_instrument::Find>(&message)) {
    find(member, *question);
  } else if (auto* want = std::get_if<from_instrument::Want>(&message)) {
    if (member.instance.manifest.resources) {
      resources_->want(name, want->wish, steady_, now_);
    } else {
      say(name, to_instrument::ResourceState{want->wish.name, "FAILED",
                                             "its manifest does not ask for resources", ""});
    }
  } else if (auto* result = std::get_if<from_instrument::Fetched>(&message)) {
    resources_->fetched(name, result->result, steady_, now_);
  }
}

void BusServices::find(const Member& member, const from_instrument::Find& question) {
  to_instrument::Found found;
  found.context_uuid = question.uuid;
  const Manifest& manifest = member.instance.manifest;
  for (const auto& [name, other] : members_) {
    const Manifest& of = other->instance.manifest;
    if (name == member.instance.name || !may_find(manifest, of.name)) continue;
    if (!question.instrument.empty() && question.instrument != of.name) continue;
    if (found.instruments.size() >= kMostFound) break;
    found.instruments.push_back(
        {name, of.name, of.version, std::string(to_string(other->observed.state)), of.event_types});
  }
  say(member.instance.name, found);
}

void BusServices::attend(Member& member) {
  const std::string& name = member.instance.name;
  member.config.work(steady_);
  member.config.watch(member.health.health().state == HealthState::healthy,
                      member.instance.manifest.healthy_within, steady_);
  member.retention.work(steady_);
  if (auto news = member.config.take_news()) {
    log_warning("configuration of " + name + ": " + *news);
    tell(name, "config_failed", name + ": configuration " + *news, "{}");
  }
  if (member.config.take_restart()) {
    options_.restart(name, "it hangs in a configuration; it goes back to the one before");
  }
  if (!broker_->is_up()) {
    member.health.pause(steady_);
    member.config.pause(steady_);
    keep(member);
    return;
  }
  member.health.work(steady_, now_);
  if (const auto uuid = member.health.due(steady_)) {
    if (say(name, to_instrument::AskHealth{*uuid})) member.health.asked(*uuid, steady_);
  }
  if (const auto document = member.config.due()) {
    keep(member);  // what is delivered is on disk
    if (say(name, to_instrument::Configure{*document})) member.config.sent(steady_);
  }
  if (const auto command = member.retention.due(steady_, now_)) {
    if (say(name, *command)) member.retention.sent(*command, steady_, now_);
  }
  keep(member);
}

void BusServices::commit_events() {
  EventIntake::Outcome outcome = intake_->commit(steady_, now_);
  for (auto& [name, uuids] : outcome.acknowledged) {
    for (std::size_t from = 0; from < uuids.size(); from += kMostAcknowledged) {
      const std::size_t to = std::min(uuids.size(), from + kMostAcknowledged);
      say(name, to_instrument::Acknowledge{{uuids.begin() + static_cast<std::ptrdiff_t>(from),
                                            uuids.begin() + static_cast<std::ptrdiff_t>(to)}});
    }
  }
  for (EventIntake::Refusal& refusal : outcome.refused) {
    say(refusal.instance,
        to_instrument::Refuse{std::move(refusal.uuids), std::move(refusal.reason)});
  }
  if (outcome.appended) senders_->wake_events();
  for (const KeptEvent& kept : outcome.stored) {
    if (kept.event.type.starts_with("sensor.")) continue;  // for people, not for instruments
    const auto sent = broker_->publish(topics::events(kept.instance), encode(kept.event));
    if (!sent) break;  // the bus is away or full; who listens to it misses these
  }
}

void BusServices::work(Timestamp now) {
  ++turns_;
  now_ = now;
  steady_ = steady_time_.at(now);
  messages_.clear();
  broker_->work(messages_);
  for (const auto& message : messages_)
    take(message);
  for (auto& [name, one] : members_) {
    admit_again(*one);
    if (one->running) attend(*one);
  }
  resources_->work(steady_, now_);
  if (steady_ >= next_refresh_) {
    next_refresh_ = steady_ + std::chrono::seconds{1};
    name_past_shares();
    refresh_health();
  }
  commit_events();
  if (steady_ >= next_write_) {
    next_write_ = steady_ + std::chrono::seconds{30};
    write_slow_state();
  }
}

}  // namespace beaconry
