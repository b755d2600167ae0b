// What an instrument does with what it hears.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "bus/json_fields.h"
#include "bus/topics.h"
#include "sdk/guarded.h"
#include "sdk/instrument_loop.h"

namespace beaconry::sdk {
namespace {

constexpr std::uint64_t kMostComplaints = 20;
constexpr std::size_t kMostQuestions = 64;
constexpr auto kRememberRefused = std::chrono::minutes{10};

Timestamp now() {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

std::string_view last_word(std::string_view topic) {
  return topic.substr(topic.rfind('/') + 1);
}

}  // namespace

void InstrumentLoop::hear(const MqttClient::Message& message) {
  Error error;
  if (message.topic == topics::to_instrument(own_.identity.instance)) {
    const auto decoded = decode_to_instrument(message.payload);
    if (decoded) return std::visit([this](const auto& one) { hear(one); }, *decoded);
    error = decoded.error();
  } else if (message.topic.starts_with("direct/")) {
    const auto decoded = decode_direct(message.payload);
    if (decoded) return hear_direct(std::string(last_word(message.topic)), *decoded);
    error = decoded.error();
  } else if (message.topic.starts_with("events/")) {
    const auto decoded = decode_event(message.payload);
    if (decoded) {
      if (!handlers_.event) return;
      const std::string from(last_word(message.topic));
      guarded("event", [&] { handlers_.event(*this, from, *decoded); });
      return;
    }
    error = decoded.error();
  }
  // The first ones say what is wrong; a flood of them says nothing more.
  if (++misunderstood_ <= kMostComplaints) {
    log_warning("not understood on " + message.topic + ": " + error.message());
  }
}

void InstrumentLoop::hear_direct(const std::string& from, const DirectMessage& message) {
  if (message.kind == DirectMessage::Kind::reply) {
    const auto asked = questions_.find(message.context_uuid);
    // Too late, or of somebody who was not asked.
    if (asked == questions_.end() || asked->second.to != from) return;
    const auto question = questions_.extract(asked);
    guarded("reply", [&] {
      question.mapped().reply(Result<nlohmann::json>(json_or_text(message.body_json)));
    });
    return;
  }
  nlohmann::json value;
  std::string fault = handlers_.request ? "" : "this instrument takes no messages";
  if (handlers_.request) {
    fault = guarded("request", [&] {
      value = handlers_.request(*this, from, json_or_text(message.body_json));
    });
  }
  if (message.kind != DirectMessage::Kind::request) return;
  if (!fault.empty()) value = {{"error", fault}};
  const auto said =
      say_direct(from, {DirectMessage::Kind::reply, make_uuid(), message.uuid, json_text(value)});
  if (!said) log_warning("no reply to " + from + ": " + said.error().message());
}

void InstrumentLoop::hear(const to_instrument::Configure& message) {
  const InstrumentConfig& document = message.document;
  // Handed in again, after a new connection say: the answer may have been lost.
  if (configured_ && configured_uuid_ == document.uuid &&
      configured_->version == document.version) {
    return answer(*configured_);
  }
  // Before the handler: the platform tells a slow one from a deaf one by it.
  answer(from_instrument::Configured{document.version, ConfigState::applying, ""});
  Result<void> done;
  const std::string thrown = guarded("configure", [&] {
    if (handlers_.configure) done = handlers_.configure(*this, json_or_text(document.config_json));
  });
  std::string reason = thrown.empty() && !done ? done.error().message() : thrown;
  const ConfigState state = thrown.empty() && done ? ConfigState::applied : ConfigState::failed;
  reason = utf8_valid(reason).substr(0, bounds::kText);
  if (state == ConfigState::failed) log_warning("configuration failed: " + reason);
  configured_ = from_instrument::Configured{document.version, state, reason};
  configured_uuid_ = document.uuid;
  answer(*configured_);
}

Health InstrumentLoop::health_now() {
  Health health;
  health.state = HealthState::healthy;
  if (handlers_.health) {
    const std::string thrown = guarded("health", [&] { health = handlers_.health(*this); });
    if (!thrown.empty()) {
      health = Health{};
      health.state = HealthState::failed;
      health.cause = "health handler failed";
      health.evidence = thrown;
    }
  }
  if (outbox_.refused() != refused_before_) {
    refused_before_ = outbox_.refused();
    refused_at_ = Clock::now();
  }
  const bool refused_lately = refused_at_ && Clock::now() - *refused_at_ < kRememberRefused;
  if (refused_lately || outbox_.size() > Outbox::kMostEvents / 2) {
    Health part;
    part.name = "outbox";
    part.state = HealthState::degraded;
    part.cause = "events do not get through";
    part.evidence = std::to_string(outbox_.size()) + " events wait, " +
                    std::to_string(outbox_.refused()) + " were refused";
    part.fix = "see whether the sensor's spool is full";
    health.parts.push_back(std::move(part));
  }
  return history_.complete(std::move(health), own_.identity.instance, now());
}

void InstrumentLoop::hear(const to_instrument::AskHealth& message) {
  if (asked_.size() < kMostQuestions) asked_.push_back(message.uuid);
}

// One look for all questions that waited: a handler that is slower than they come must not be asked
// once for each.
void InstrumentLoop::answer_health() {
  if (asked_.empty()) return;
  Health health = health_now();
  if (auto good = parse_health(health_json(health)); !good) {
    health = Health{own_.identity.instance,
                    HealthState::failed,
                    "health report is past its bounds",
                    good.error().message(),
                    "at most 64 parts, 4 levels and 4,096 bytes a text",
                    now(),
                    {}};
  }
  for (const std::string& uuid : std::exchange(asked_, {})) {
    // Late ones are worth nothing: not kept for a new connection.
    if (link_.is_up()) answer(from_instrument::HealthAnswer{uuid, health});
  }
}

void InstrumentLoop::hear(const to_instrument::Retain& message) {
  RetentionReceipt receipt;
  const std::string thrown = guarded("retain", [&] {
    if (handlers_.retain) receipt = handlers_.retain(*this, message.before);
  });
  if (!thrown.empty()) receipt.error = thrown.substr(0, bounds::kText);
  receipt.uuid = message.uuid;
  receipt.before = message.before;
  answer(from_instrument::Receipt{receipt});
}

void InstrumentLoop::hear(const to_instrument::Acknowledge& message) {
  for (const std::string& uuid : message.events) {
    if (outbox_.remove(uuid)) progress_ = Clock::now();
  }
}

void InstrumentLoop::hear(const to_instrument::Refuse& message) {
  std::size_t refused = 0;
  for (const std::string& uuid : message.events)
    refused += outbox_.remove(uuid) ? 1 : 0;
  if (refused == 0) return;
  progress_ = Clock::now();
  log_warning("the platform refused " + std::to_string(refused) + " events: " + message.reason);
}

void InstrumentLoop::hear(const to_instrument::Found& message) {
  const auto search = searches_.find(message.context_uuid);
  if (search == searches_.end()) return;
  const auto over = searches_.extract(search);
  guarded("found", [&] { over.mapped().found(message.instruments); });
}

void InstrumentLoop::hear(const to_instrument::ResourceState& message) {
  if (handlers_.resource) guarded("resource", [&] { handlers_.resource(*this, message); });
}

void InstrumentLoop::hear(const to_instrument::Fetch& message) {
  std::string fault = "this instrument downloads nothing";
  if (handlers_.fetch) {
    fault = guarded("fetch", [&] { handlers_.fetch(*this, message.order); });
  }
  if (fault.empty()) return;
  FetchResult result;
  result.uuid = message.order.uuid;
  result.state = "failed";
  result.reason = fault.substr(0, bounds::kText);
  fetched(result);
}

void InstrumentLoop::hear(const to_instrument::Stop&) {
  end(0);
}

}  // namespace beaconry::sdk
