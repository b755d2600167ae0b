#include "sensor/services/health_tree.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "base/text.h"

namespace beaconry {
namespace {

constexpr double kDaysTight = 3, kPercentTight = 90, kPercentFull = 97;
constexpr std::size_t kMostNamed = 8;  // of those that share a cause, with their evidence

Health part(std::string name, HealthState state = HealthState::healthy) {
  Health health;
  health.name = std::move(name);
  health.state = state;
  return health;
}

// Of the instance's life; the worst thing that can be said, so it comes first.
Health life(const InstanceReport& report) {
  Health health = part("execution");
  switch (report.state) {
    case InstanceState::finished:
      health.evidence = "finished: ended with status 0";
      return health;
    case InstanceState::running:
      return health;
    case InstanceState::created:
    case InstanceState::installed:
    case InstanceState::starting:
    case InstanceState::stopping:
      health.state = HealthState::unknown;
      break;
    case InstanceState::errored:
      health.state = HealthState::degraded;
      health.fix = "none yet: it is started again by itself";
      break;
    case InstanceState::broken:
      health.state = HealthState::failed;
      health.fix =
          "look at its log (beaconry instrument logs " + report.name + "), then restart it";
      break;
  }
  std::string state = ascii_lower(to_string(report.state));
  health.cause = report.cause.empty() ? "is " + state : report.cause;
  health.evidence = "state " + std::string(to_string(report.state));
  if (report.failures > 0) {
    health.evidence += ", " + std::to_string(report.failures) + " failures in a row";
  }
  return health;
}

Health of_interface(const InterfaceReport& report) {
  Health health = part("interface " + report.name);
  if (!report.present) {
    health.state = HealthState::failed;
    health.cause = report.cause.empty() ? "interface " + report.name + " lost" : report.cause;
  } else if (!report.cause.empty()) {
    health.state = HealthState::degraded;
    health.cause = report.cause;
  } else if (!report.carrier) {
    health.state = HealthState::degraded;
    health.cause = "interface " + report.name + " without carrier";
  }
  health.evidence = report.evidence;
  health.fix = report.fix;
  if (health.state != HealthState::healthy && health.fix.empty()) {
    health.fix = "look at the cable or at the host's interface behind it";
  }
  return health;
}

Health of_storage(const std::string& name, const InstanceReport::Storage& storage) {
  return room_health("storage " + name, name + " storage", storage.used, storage.quota,
                     storage.days_to_full,
                     "shorten its retention, or give its manifest a larger quota");
}

Health of_config(const InstanceReport::Config& config) {
  Health health = part("configuration");
  if (config.state == ConfigState::failed) {
    health.state = config.applied == 0 ? HealthState::failed : HealthState::degraded;
    health.cause = "configuration failed";
    health.evidence = "version " + std::to_string(config.wished) + ": " + config.reason;
    health.fix = "correct the configuration, or roll it back";
  } else if (config.state == ConfigState::applying) {
    health.evidence = "version " + std::to_string(config.wished) + " is being applied";
  } else if (config.state == ConfigState::applied) {
    health.evidence = "version " + std::to_string(config.applied) + " applied";
  }
  return health;
}

Health of_retention(const InstanceReport::Retention& retention) {
  Health health = part("retention");
  if (retention.answered) {
    health.evidence = "last receipt " + to_rfc3339(*retention.answered) + ": " +
                      std::to_string(retention.items) + " items, " +
                      bytes_in_words(double(retention.bytes)) + " deleted";
  }
  if (!retention.overdue) return health;
  health.state = HealthState::degraded;
  health.cause = "retention overdue";
  if (!retention.error.empty())
    health.evidence = retention.error;
  else if (health.evidence.empty())
    health.evidence = "never answered";
  health.fix = "look at its log; what it keeps is older than it should be";
  return health;
}

Health of_events(const InstanceReport::Events& events, const Health& flood) {
  Health health = flood;
  health.name = "events";
  if (health.evidence.empty()) {
    health.evidence =
        std::to_string(events.stored) + " stored, " + std::to_string(events.refused) + " refused";
  }
  return health;
}

// The part's own words, or those of the worst part in it, which is nearer to the root.
void take_cause(Health& whole, const Health& worst) {
  whole.cause = worst.cause;
  whole.evidence = worst.evidence;
  whole.fix = worst.fix;
}

const Health* worst_of(const std::vector<Health>& parts) {
  const Health* worst = nullptr;
  for (const Health& one : parts) {
    if (worst == nullptr || is_worse(one.state, worst->state)) worst = &one;
  }
  return worst;
}

}  // namespace

Health instance_health(const InstanceReport& report, const Health& own,
                       const std::vector<Health>& others, Timestamp now) {
  // In the order of causes: of parts equally bad, the first is the root. A lost interface or a full
  // disk explains what the instrument complains of; its own words explain nothing above them.
  Health whole = part(report.name);
  whole.parts.push_back(life(report));
  for (const InterfaceReport& one : report.interfaces)
    whole.parts.push_back(of_interface(one));
  whole.parts.push_back(of_storage("persistent", report.persistent));
  whole.parts.push_back(of_storage("transient", report.transient));
  whole.parts.push_back(of_config(report.config));
  Health flood;
  for (const Health& one : others) {
    if (one.name == "events")
      flood = one;
    else
      whole.parts.push_back(one);
  }
  const bool runs = report.state == InstanceState::running;
  if (runs) whole.parts.push_back(own);
  whole.parts.push_back(of_retention(report.retention));
  if (!flood.name.empty()) whole.parts.push_back(of_events(report.events, flood));
  const Health* worst = worst_of(whole.parts);
  whole.state = worst->state;
  if (whole.state != HealthState::healthy) {
    take_cause(whole, *worst);
    // What the instrument says of one of its parts, where it has no words for the whole.
    if (whole.cause.empty()) {
      const Health* inner = worst_of(worst->parts);
      if (inner != nullptr && inner->state != HealthState::healthy) take_cause(whole, *inner);
    }
    if (whole.cause.empty()) whole.cause = worst->name + " " + std::string(to_string(worst->state));
  } else {
    whole.evidence = runs ? own.evidence : whole.parts.front().evidence;
  }
  keep_since(whole, report.health, now);
  return whole;
}

Health room_health(const std::string& name, const std::string& what, std::uint64_t used,
                   std::uint64_t total, std::optional<double> days_to_full,
                   const std::string& fix) {
  Health health = part(name);
  if (total == 0) return health;
  const double percent = 100 * static_cast<double>(used) / static_cast<double>(total);
  const bool full = percent >= kPercentFull;
  if (full)
    health.state = HealthState::failed;
  else if (percent >= kPercentTight || (days_to_full && *days_to_full < kDaysTight))
    health.state = HealthState::degraded;
  health.evidence = bytes_in_words(static_cast<double>(used)) + " of " +
                    bytes_in_words(static_cast<double>(total)) + " used";
  if (days_to_full) {
    char days[64];
    std::snprintf(days, sizeof days, ", full in %.1f days", *days_to_full);
    health.evidence += days;
  }
  if (health.state == HealthState::healthy) return health;
  health.cause = what + (full ? " is full" : " is nearly full");
  health.fix = fix;
  return health;
}

Health whole_health(const std::string& name, std::vector<Health> parts) {
  Health whole = part(name);
  std::vector<std::size_t> members;  // of whole.parts: how many share its cause
  for (Health& one : parts) {
    const auto same = std::find_if(whole.parts.begin(), whole.parts.end(), [&](const Health& seen) {
      return seen.state != HealthState::healthy && one.state != HealthState::healthy &&
             !one.cause.empty() && seen.cause == one.cause;
    });
    if (same == whole.parts.end()) {
      whole.parts.push_back(std::move(one));
      members.push_back(1);
      continue;
    }
    const auto at = static_cast<std::size_t>(same - whole.parts.begin());
    if (members[at] == 1) {  // becomes one of many
      Health first = *same;
      same->parts = {std::move(first)};
    }
    ++members[at];
    if (members[at] <= kMostNamed) {
      same->name += ", " + one.name;
      if (!one.evidence.empty() && one.evidence != same->evidence) {
        same->evidence += (same->evidence.empty() ? "" : "; ") + one.name + ": " + one.evidence;
      }
    } else if (members[at] == kMostNamed + 1) {
      same->name += ", ...";
    }
    if (is_worse(one.state, same->state)) same->state = one.state;
    if (same->fix.empty()) same->fix = one.fix;
    if (one.since < same->since) same->since = one.since;
    same->parts.push_back(std::move(one));
  }
  const Health* worst = worst_of(whole.parts);
  if (worst == nullptr) return whole;
  whole.state = worst->state;
  if (whole.state != HealthState::healthy) {
    take_cause(whole, *worst);
    if (!whole.cause.empty())
      whole.evidence = worst->name + (whole.evidence.empty() ? "" : ": ") + whole.evidence;
  }
  return whole;
}

void keep_since(Health& health, const Health& before, Timestamp now) {
  health.since = health.state == before.state && before.since != Timestamp{} ? before.since : now;
  for (Health& one : health.parts) {
    const auto was = std::find_if(before.parts.begin(), before.parts.end(),
                                  [&](const Health& other) { return other.name == one.name; });
    keep_since(one, was == before.parts.end() ? Health{} : *was, now);
  }
}

}  // namespace beaconry
