#include "sensor/services/event_intake.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "uplink/instrument_event_batch.h"

namespace beaconry {
namespace {

using std::chrono::seconds;

constexpr double kBurstSeconds = 10;
constexpr std::size_t kMostWaiting = 1000, kMostWaitingBytes = 1 << 20;  // an instance
constexpr std::size_t kMostOwn = 1000;
constexpr std::size_t kBatchEvents = 1000, kBatchBytes = 4 << 20;
constexpr std::size_t kMostReasons = 16;
constexpr std::size_t kMostUuids = 200;       // in one refusal
constexpr std::uint64_t kMostRecords = 5000;  // of the spool that are read at the start
constexpr seconds kFloodPause{60}, kRetry{1}, kLongestSilence{60};

std::size_t size_of(const Event& event) {
  return event.uuid.size() + event.context_uuid.size() + event.type.size() + event.message.size() +
         event.data_json.size();
}

}  // namespace

EventIntake::EventIntake(Spool& spool, std::string recent_file)
    : spool_(spool), recent_(std::move(recent_file)) {}

void EventIntake::open() {
  recent_.read();
  recent_.each([this](const auto& kept) { seen_.add(kept.instance, kept.event.uuid); });
  const std::uint64_t next = spool_.next();
  std::uint64_t at = std::max(spool_.first(), next > kMostRecords ? next - kMostRecords : 0);
  while (at < next) {
    auto record = spool_.read(at);
    if (!record || !*record) break;
    at = (*record)->sequence + 1;
    const auto batch = decode_instrument_events((*record)->bytes, {});
    if (!batch) continue;  // the server will say so, and it is set aside
    for (const InstrumentEvent& one : batch->events) {
      if (seen_.has(one.instance, one.uuid)) continue;
      seen_.add(one.instance, one.uuid);
      recent_.add({one.instance,
                   {one.uuid, one.context_uuid, one.time, one.type, one.message, one.data_json}});
    }
  }
}

void EventIntake::set_source(const std::string& instance, const Manifest& manifest) {
  Source& source = sources_[instance];
  source.instrument = manifest.name;
  source.types = manifest.event_types;
  const unsigned rate = std::max(1U, manifest.limits.events_per_second);
  if (rate == source.rate) return;
  source.rate = rate;
  source.bucket = RateBucket(rate, rate * kBurstSeconds);
}

void EventIntake::remove_source(const std::string& instance) {
  sources_.erase(instance);
}

void EventIntake::malformed(const std::string& instance) {
  const auto at = sources_.find(instance);
  if (at != sources_.end()) ++at->second.counters.malformed;
}

std::string EventIntake::why_not(const Source& source, const Event& event) const {
  const std::string before = "instruments." + source.instrument + ".ev.";
  if (!is_event_uuid(event.uuid)) return "its uuid is none of RFC 9562 in lower case";
  if (!event.context_uuid.empty() && !is_event_uuid(event.context_uuid)) {
    return "its context_uuid is none of RFC 9562 in lower case";
  }
  if (!event.type.starts_with(before) ||
      std::find(source.types.begin(), source.types.end(), event.type.substr(before.size())) ==
          source.types.end()) {
    return "its type is not one of the manifest's event_types, as " + before +
           (source.types.empty() ? "WORD" : source.types.front());
  }
  if (event.data_json.size() > InstrumentEvent::kLongestData) {
    return "its data is longer than " +
           bytes_in_words(static_cast<double>(InstrumentEvent::kLongestData));
  }
  return {};
}

void EventIntake::refuse(Source& source, const Event& event, const std::string& reason) {
  ++source.counters.refused;
  if (source.refusals.size() >= kMostReasons && source.refusals.count(reason) == 0) return;
  source.refusals[reason].push_back(event.uuid.substr(0, 64));
}

void EventIntake::offer(const std::string& instance, Event event, Timestamp steady) {
  const auto at = sources_.find(instance);
  if (at == sources_.end()) return;  // removed a moment ago
  Source& source = at->second;
  if (const std::string reason = why_not(source, event); !reason.empty()) {
    refuse(source, event, reason);
    return;
  }
  if (seen_.has(instance, event.uuid)) {
    ++source.counters.duplicates;
    source.known.push_back(event.uuid);
    return;
  }
  if (source.pending.count(event.uuid) != 0) {
    ++source.counters.duplicates;
    return;  // sent again while it waits: answered when it is stored
  }
  const std::size_t bytes = size_of(event);
  if (source.waiting.size() >= kMostWaiting || source.bytes + bytes > kMostWaitingBytes) {
    refuse(source, event,
           "more than " + std::to_string(source.rate) + " events a second, its manifest's limit");
    source.flood_end = steady + kFloodPause;
    return;
  }
  source.bytes += bytes;
  source.pending.insert(event.uuid);
  source.waiting.push_back(std::move(event));
}

void EventIntake::tell(const std::string& instance, const std::string& word,
                       const std::string& message, const std::string& data_json, Timestamp now) {
  if (own_.size() >= kMostOwn) {
    if (own_dropped_++ == 0) log_warning("events: more of our own than can be kept; some are lost");
    return;
  }
  Event event;
  event.uuid = make_uuid();
  event.timestamp = now;
  event.type = "sensor.ev." + word;
  event.message = message;
  event.data_json = nlohmann::json::accept(data_json) ? data_json : "{}";
  own_.push_back({instance, std::move(event), true});
}

void EventIntake::name_floods(Timestamp steady, Timestamp now) {
  for (auto& [name, source] : sources_) {
    if (source.flood_end && steady >= *source.flood_end) source.flood_end.reset();
    if (!source.flood_end || source.refused_told == source.counters.refused) continue;
    if (source.next_word && steady < *source.next_word) continue;
    const std::uint64_t refused = source.counters.refused - source.refused_told;
    source.refused_told = source.counters.refused;
    source.next_word = steady + kFloodPause;
    const std::string message = name + " floods the bus with events: more than " +
                                std::to_string(source.rate) + " a second; " +
                                std::to_string(refused) + " refused since the last word";
    log_warning(message);
    tell(name, "flooding", message,
         nlohmann::json{{"refused", refused},
                        {"refused_ever", source.counters.refused},
                        {"limit_per_second", source.rate}}
             .dump(),
         now);
  }
}

EventIntake::Outcome EventIntake::commit(Timestamp steady, Timestamp now) {
  Outcome outcome;
  name_floods(steady, now);
  while (!own_.empty() && taken_.size() < kMostOwn) {
    taken_.push_back(std::move(own_.front()));
    own_.pop_front();
  }
  for (auto& [name, source] : sources_) {
    // What cannot be stored stays with its instance, where the queue has a bound.
    while (fault_.empty() && !source.waiting.empty() && source.bucket.take(steady)) {
      source.bytes -= size_of(source.waiting.front());
      taken_.push_back({name, std::move(source.waiting.front()), false});
      source.waiting.pop_front();
    }
    if (!source.known.empty()) outcome.acknowledged[name] = std::exchange(source.known, {});
    for (auto& [reason, uuids] : source.refusals) {
      for (std::size_t from = 0; from < uuids.size(); from += kMostUuids) {
        const std::size_t to = std::min(uuids.size(), from + kMostUuids);
        outcome.refused.push_back({name,
                                   reason,
                                   {uuids.begin() + static_cast<std::ptrdiff_t>(from),
                                    uuids.begin() + static_cast<std::ptrdiff_t>(to)}});
      }
    }
    source.refusals.clear();
  }
  const bool is_due = !next_batch_ || steady >= *next_batch_;
  if ((taken_.empty() && !is_due) || (retry_ && steady < *retry_)) return outcome;
  if (!store(now)) {
    retry_ = steady + kRetry;
    return outcome;
  }
  outcome.appended = true;
  retry_.reset();
  next_batch_ = steady + kLongestSilence;
  for (Taken& one : taken_) {
    seen_.add(one.instance, one.event.uuid);
    if (!one.own) outcome.acknowledged[one.instance].push_back(one.event.uuid);
    const auto source = sources_.find(one.instance);
    if (!one.own && source != sources_.end()) {
      ++source->second.counters.stored;
      source->second.pending.erase(one.event.uuid);
    }
    Services::KeptEvent kept{one.instance, std::move(one.event)};
    recent_.add(kept);
    outcome.stored.push_back(std::move(kept));
  }
  taken_.clear();
  return outcome;
}

bool EventIntake::store(Timestamp now) {
  const auto failed = [&](const Error& error) {
    if (fault_ != error.message()) log_error("events wait: " + error.message());
    fault_ = error.message();
    return false;
  };
  std::uint64_t last = 0;
  std::size_t at = 0;
  do {
    InstrumentEventBatch batch;
    batch.made = now;
    for (std::size_t bytes = 0;
         at < taken_.size() && batch.events.size() < kBatchEvents && bytes < kBatchBytes; ++at) {
      const Taken& one = taken_[at];
      bytes += size_of(one.event);
      batch.events.push_back({one.instance, one.event.uuid, one.event.context_uuid,
                              one.event.timestamp, one.event.type, one.event.message,
                              one.event.data_json});
    }
    for (const auto& [name, source] : sources_) {
      if (source.counters.refused == 0) continue;
      batch.counters.push_back({"events_refused", name, source.counters.refused});
    }
    const auto sequence = spool_.append(encode_instrument_events(batch), now);
    if (!sequence) return failed(sequence.error());
    last = *sequence;
  } while (at < taken_.size());
  // One for all that came in this round. What was appended twice after a fault counts once by uuid.
  const auto synced = spool_.sync(last);
  if (!synced) return failed(synced.error());
  if (!fault_.empty()) log_info("events are stored again");
  fault_.clear();
  return true;
}

InstanceReport::Events EventIntake::counters(const std::string& instance) const {
  const auto at = sources_.find(instance);
  return at == sources_.end() ? InstanceReport::Events{} : at->second.counters;
}

Health EventIntake::health(const std::string& instance) const {
  Health health;
  health.name = "events";
  health.state = HealthState::healthy;
  const auto at = sources_.find(instance);
  if (at == sources_.end() || !at->second.flood_end) return health;
  health.state = HealthState::degraded;
  health.cause = "floods the bus with events";
  health.evidence = std::to_string(at->second.counters.refused) + " refused, more than " +
                    std::to_string(at->second.rate) + " a second";
  health.fix = "look at what it reports; if it is right, raise events_per_second in its manifest";
  return health;
}

}  // namespace beaconry
