#include "fleet/fleet_asks.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/text.h"
#include "fleet/document_text.h"
#include "http/certificates.h"

namespace beaconry {
namespace {

constexpr std::size_t kIdBytes = 16;

FleetAsks::Asked asked(const std::string& id, const FleetAsks::Question& question) {
  const nlohmann::json json = {{"id", id},
                               {"what", question.what},
                               {"instance", question.instance},
                               {"bytes", question.bytes}};
  return {id, text_of(json)};
}

}  // namespace

std::string to_string(FleetAsks::State state) {
  switch (state) {
    case FleetAsks::State::waiting:
      return "waiting";
    case FleetAsks::State::answered:
      return "answered";
    case FleetAsks::State::expired:
      break;
  }
  return "expired";
}

bool FleetAsks::waits(const Entry& entry, Timestamp now) const {
  return !entry.answered && now < entry.asked + kPatience;
}

void FleetAsks::prune(Timestamp now) {
  std::erase_if(asks_, [&](const auto& each) { return each.second.asked + kKept < now; });
  std::size_t bytes = 0;
  for (const auto& [id, entry] : asks_)
    bytes += entry.answer.size();
  while (asks_.size() >= kMostAsks || bytes > most_bytes_) {
    const auto oldest = std::min_element(
        asks_.begin(), asks_.end(),
        [](const auto& a, const auto& b) { return a.second.asked < b.second.asked; });
    bytes -= oldest->second.answer.size();
    asks_.erase(oldest);
  }
}

Result<FleetAsks::Asked> FleetAsks::ask(const Question& question, Timestamp now) {
  const std::lock_guard lock(mutex_);
  prune(now);
  const auto waiting = std::count_if(asks_.begin(), asks_.end(), [&](const auto& each) {
    return each.second.question.sensor == question.sensor && waits(each.second, now);
  });
  if (static_cast<std::size_t>(waiting) >= kMostOfOne)
    return fail(ErrorKind::conflict, "ask", "the sensor",
                "20 questions wait for its answer already; wait for them");
  const std::string id = random_hex(kIdBytes);
  asks_[id] = {question, now, false, false, {}};
  return asked(id, question);
}

void FleetAsks::was_told(const std::string& id) {
  const std::lock_guard lock(mutex_);
  if (const auto found = asks_.find(id); found != asks_.end()) found->second.told = true;
}

std::vector<FleetAsks::Asked> FleetAsks::untold(const std::string& sensor, Timestamp now) const {
  const std::lock_guard lock(mutex_);
  std::vector<Asked> all;
  for (const auto& [id, entry] : asks_) {
    if (entry.question.sensor == sensor && !entry.told && waits(entry, now))
      all.push_back(asked(id, entry.question));
  }
  return all;
}

Result<void> FleetAsks::answer(const std::string& sensor, const std::string& id,
                               const std::string& json, Timestamp now) {
  const auto refuse = [&](ErrorKind kind, std::string cause) {
    return fail(kind, "answer", "question " + terminal_safe(id.substr(0, 2 * kIdBytes)),
                std::move(cause));
  };
  const auto read = parse_object(json, "the answer", kLongestAnswer);
  if (!read) return tl::unexpected<Error>(read.error());
  if (!read->contains("ok") || !(*read)["ok"].is_boolean())
    return refuse(ErrorKind::malformed, "'ok' is neither true nor false");
  nlohmann::json kept = {{"ok", (*read)["ok"]}};
  for (const char* key : {"text", "error"}) {
    const auto value = read->find(key);
    if (value == read->end() || value->is_null()) continue;
    if (!value->is_string())
      return refuse(ErrorKind::malformed, '\'' + std::string(key) + "' is no text");
    kept[key] = *value;
  }
  const std::lock_guard lock(mutex_);
  const auto found = asks_.find(id);
  if (found == asks_.end() || found->second.question.sensor != sensor)
    return refuse(ErrorKind::not_found, "this sensor was not asked that");
  if (found->second.answered) return {};  // its answer was lost on its way, and came again
  if (!waits(found->second, now)) return refuse(ErrorKind::not_found, "it is too late");
  found->second.answered = true;
  found->second.answer = text_of(kept);
  prune(now);
  return {};
}

std::optional<FleetAsks::Shown> FleetAsks::find(const std::string& id, Timestamp now) const {
  const std::lock_guard lock(mutex_);
  const auto found = asks_.find(id);
  if (found == asks_.end()) return std::nullopt;
  const Entry& entry = found->second;
  if (entry.answered) return Shown{State::answered, entry.answer};
  return Shown{waits(entry, now) ? State::waiting : State::expired, {}};
}

}  // namespace beaconry
