#include "fleet/sensor_state.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/text.h"

namespace beaconry {
namespace {

constexpr std::pair<SensorState, std::string_view> kWords[] = {
    {SensorState::healthy, "Healthy"},
    {SensorState::unhealthy, "Unhealthy"},
    {SensorState::updating, "Updating"},
    {SensorState::offline, "Offline"},
    {SensorState::inactive, "Inactive"}};

struct Judgement {
  SensorState state = SensorState::healthy;
  std::string why;
  std::vector<SensorCause> causes;
};

class Causes {
 public:
  void add(SensorCause cause) {
    if (cause.cause.empty()) return;
    if (seen_.emplace(cause.cause, cause.subject).second) causes_.push_back(std::move(cause));
  }
  bool has(const std::string& cause) const {
    return std::any_of(causes_.begin(), causes_.end(),
                       [&](const SensorCause& each) { return each.cause == cause; });
  }
  std::vector<SensorCause> take() { return std::move(causes_); }

 private:
  std::set<std::pair<std::string, std::string>> seen_;
  std::vector<SensorCause> causes_;
};

std::string words_of(const HealthPart& part) {
  return part.cause.empty() ? part.name + " is not well" : part.cause;
}

// Of the tree without the parts of instances that are being changed: those may be unwell meanwhile.
void add_roots(const HealthPart& part, const std::set<std::string>& changing, Causes& causes) {
  if (!part.is_bad() || changing.count(part.name) > 0) return;
  bool deeper = false;
  for (const HealthPart& each : part.parts) {
    deeper = deeper || each.is_bad();
    add_roots(each, changing, causes);
  }
  // What an instance told already under its own name is not told twice.
  if (!deeper && !causes.has(words_of(part)))
    causes.add({words_of(part), {}, part.evidence, part.fix});
}

void add_instance(const ReportedInstance& one, Causes& causes) {
  for (const HealthPart* part : root_causes(one.health))
    causes.add({words_of(*part), one.name, part->evidence, part->fix});
  if (one.state != "ERRORED" && one.state != "BROKEN") return;
  if (one.health.is_bad()) return;  // its tree has the reason
  causes.add({one.cause.empty() ? "an instance is " + one.state : one.cause, one.name, {}, {}});
}

Judgement judge(const Reported& report) {
  Judgement out;
  std::set<std::string> changing;
  for (const ReportedInstance& one : report.instances) {
    if (!one.is_changing()) continue;
    changing.insert(one.name);
    if (!out.why.empty()) continue;
    out.why = one.name + (one.config_state == "APPLYING" ? " applies its configuration"
                                                         : " gets another image");
  }
  if (!changing.empty()) out.state = SensorState::updating;
  Causes causes;
  if (!report.runtime_fault.empty())
    causes.add({"the container runtime is away", {}, report.runtime_fault, {}});
  for (const ReportedInstance& one : report.instances) {
    if (changing.count(one.name) == 0) add_instance(one, causes);
  }
  add_roots(report.health, changing, causes);
  out.causes = causes.take();
  if (out.causes.empty()) return out;
  out.state = SensorState::unhealthy;
  const SensorCause& first = out.causes.front();
  out.why = (first.subject.empty() ? "" : first.subject + ": ") + first.cause;
  if (out.causes.size() > 1) out.why += " (and " + std::to_string(out.causes.size() - 1) + " more)";
  return out;
}

Duration age(const SensorMemory& memory, Timestamp now) {
  const Timestamp last = memory.heard.value_or(memory.enrolled);
  return now > last ? now - last : Duration{0};  // a server's clock may be set back
}

}  // namespace

std::string_view to_string(SensorState state) {
  for (const auto& [known, word] : kWords) {
    if (known == state) return word;
  }
  return "Offline";
}

std::string state_word(SensorState state) {
  return ascii_lower(to_string(state));
}

std::optional<SensorState> parse_sensor_state(std::string_view word) {
  for (const auto& [state, known] : kWords) {
    if (ascii_lower(known) == ascii_lower(word)) return state;
  }
  return std::nullopt;
}

void hear(SensorMemory& memory, const Reported& report, Timestamp now) {
  Judgement judgement = judge(report);
  const bool back = !memory.heard || age(memory, now) >= kOfflineAfter;
  if (back || judgement.state != memory.said) memory.said_since = now;
  if (!memory.heard || report.desired_version != memory.told) memory.told_since = now;
  memory.heard = now;
  memory.said = judgement.state;
  memory.why = std::move(judgement.why);
  memory.causes = std::move(judgement.causes);
  memory.version = memory.told = report.desired_version;
}

SensorStanding stand(const SensorMemory& memory, const SensorWish& wish, Timestamp now) {
  SensorStanding out;
  const Duration silent = age(memory, now);
  const Timestamp last = memory.heard.value_or(memory.enrolled);
  if (!memory.heard || silent >= kOfflineAfter) {
    const bool inactive = silent >= kInactiveAfter;
    out.state = inactive ? SensorState::inactive : SensorState::offline;
    out.since = inactive ? last + kInactiveAfter : last;
    out.why = memory.heard ? "its last report came at " + to_rfc3339(last)
                           : "it was enrolled and never reported: join it to this server";
    return out;
  }
  out.state = memory.said;
  out.since = memory.said_since;
  out.why = memory.why;
  if (out.state == SensorState::unhealthy) out.causes = memory.causes;
  if (out.state == SensorState::healthy && memory.version < wish.version) {
    out.state = SensorState::updating;
    out.since = std::max(memory.said_since, wish.since);
    out.why = "it has version " + std::to_string(memory.version) +
              " of what it shall be, not yet " + std::to_string(wish.version);
  }
  if (out.state == SensorState::updating && now - out.since >= kLongestUpdate) {
    out.state = SensorState::unhealthy;
    out.since += kLongestUpdate;
    out.causes = {{"a change is not done after " + to_words(kLongestUpdate), {}, out.why, {}}};
    out.why += ": not done after " + to_words(kLongestUpdate);
  }
  out.late = silent >= kLateAfter;
  if (out.late) {
    out.why += std::string(out.why.empty() ? "" : "; ") + "late: its last report came " +
               to_words(silent) + " ago";
  }
  return out;
}

std::string FleetCause::words() const {
  return cause + ": " +
         (sensors.size() == 1 ? sensors.front() : std::to_string(sensors.size()) + " sensors");
}

std::vector<FleetCause> collapse(
    const std::vector<std::pair<std::string, SensorStanding>>& sensors) {
  std::map<std::string, FleetCause> found;
  for (const auto& [name, standing] : sensors) {
    for (const SensorCause& each : standing.causes) {
      FleetCause& cause = found[each.cause];
      if (cause.sensors.empty()) {
        cause = {each.cause, each.evidence, each.fix, {}, 0, standing.since};
      }
      if (cause.fix.empty()) cause.fix = each.fix;
      if (cause.sensors.empty() || cause.sensors.back() != name) cause.sensors.push_back(name);
      if (!each.subject.empty()) ++cause.instances;
      cause.since = std::min(cause.since, standing.since);
    }
  }
  std::vector<FleetCause> all;
  all.reserve(found.size());
  for (auto& [words, cause] : found)
    all.push_back(std::move(cause));
  std::stable_sort(all.begin(), all.end(), [](const FleetCause& a, const FleetCause& b) {
    return a.sensors.size() > b.sensors.size();
  });
  return all;
}

}  // namespace beaconry
