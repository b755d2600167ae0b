#include "control/beacon_alert.h"

#include <algorithm>
#include <cstdio>

#include "control/answer.h"
#include "control/beacon_json.h"
#include "control/watch_state.h"
#include "http/certificates.h"

namespace beaconry {
namespace {

constexpr std::size_t kIdDigits = 32;
constexpr std::size_t kMostInDigest = 100;

std::string percent(double score) {
  char text[16];
  std::snprintf(text, sizeof text, "%.1f%%", 100 * score);
  return text;
}

std::string title_of(const WatchDecision& decision) {
  switch (decision.kind) {
    case DecisionKind::fresh:
      return "Beacon detected: " + decision.identity;
    case DecisionKind::worse:
      return "Beacon got worse: " + decision.identity;
    case DecisionKind::gone:
      return "Beacon gone: " + decision.identity;
    case DecisionKind::reopened:
      return "Beacon changed after triage: " + decision.identity;
    case DecisionKind::digest:
      break;
  }
  const std::string first = decision.pairs.front()->identity();
  if (decision.pairs.size() == 1) return "Beacon in the first analysis: " + first;
  return std::to_string(decision.pairs.size()) + " beacons in the first analysis: " + first +
         " and others";
}

std::string sentence_of(const ScoredPair& pair) {
  const Verdict& v = pair.verdict;
  std::string words = pair.identity();
  if (pair.kind == PairKind::named) words += " (" + pair.key.destination.to_string() + ')';
  words += ": score " + percent(v.combined_score);
  if (v.interval_seconds > 0) {
    words += ", every " + to_words(std::chrono::duration_cast<Duration>(
                              std::chrono::duration<double>(v.interval_seconds)));
  }
  if (!v.summary.empty()) words += ", " + v.summary;
  return words;
}

// Of one among many: a hundred with all their fields would be longer than the alert queue takes.
void write_summary(JsonWriter& json, const ScoredPair& pair) {
  json.begin();
  json.plain("pair_key", pair.key.to_string());
  json.text("identity", pair.identity());
  json.plain("src_ip", pair.key.source.to_string());
  json.plain("dst_ip", pair.key.destination.to_string());
  json.text_or_null("server_name", pair.server_name);
  json.whole("dst_port", pair.key.port);
  json.plain("protocol", to_string(pair.key.protocol));
  json.number("combined_score", pair.verdict.combined_score);
  json.plain("confidence", to_string(pair.verdict.confidence));
  json.number("interval_seconds", pair.verdict.interval_seconds);
  json.plain("last_seen", to_rfc3339(pair.last_seen));
  json.end();
}

// The fields of /api/v1/beacons, and why: flat, as sinks look for src_ip, dst_ip and others by
// name.
std::string details_of(const WatchDecision& decision, const DetectionSettings& settings,
                       Timestamp now) {
  const std::string why = json_text([&](JsonWriter& json) {
    json.begin();
    json.text("reason", decision.reason);
    if (decision.pair == nullptr) json.text("identity", decision.identity);
    if (decision.kind == DecisionKind::digest) {
      json.whole("count", decision.pairs.size());
      json.begin_list("beacons");
      for (std::size_t i = 0; i < std::min(decision.pairs.size(), kMostInDigest); ++i)
        write_summary(json, *decision.pairs[i]);
      json.end_list();
    }
    json.end();
  });
  if (decision.pair == nullptr) return why;
  std::string details = beacon_json(*decision.pair, settings, now);
  details.replace(0, 1, why.substr(0, why.size() - 1) + ',');
  return details;
}

}  // namespace

Severity severity_of(Confidence confidence) {
  switch (confidence) {
    case Confidence::critical:
      return Severity::critical;
    case Confidence::high:
      return Severity::high;
    case Confidence::medium:
      return Severity::medium;
    case Confidence::low:
    case Confidence::none:
      break;
  }
  return Severity::low;
}

Alert beacon_alert(const WatchDecision& decision, const BeaconState* before, std::uint64_t removals,
                   const DetectionSettings& settings, Timestamp now) {
  Alert alert;
  const bool digest = decision.kind == DecisionKind::digest;
  alert.kind = digest ? "digest" : "beacon." + std::string(to_string(decision.kind));
  alert.title = title_of(decision);
  alert.source = "hunt";
  alert.subject = decision.identity;
  alert.time = now;
  alert.tags = {"beacon", digest ? "digest" : std::string(to_string(decision.kind))};
  alert.details = details_of(decision, settings, now);
  std::string known =
      before == nullptr ? '#' + std::to_string(removals) : watch_state_json(*before);
  if (digest) {
    for (const ScoredPair* pair : decision.pairs) {
      alert.severity = std::max(alert.severity, severity_of(pair->verdict.confidence));
      if (alert.description.size() < 4000) alert.description += sentence_of(*pair) + ".\n";
      known += pair->identity() + '\n';
    }
  } else {
    alert.description = decision.reason + ".";
    if (decision.pair != nullptr) {
      alert.description = sentence_of(*decision.pair) + ". " + alert.description;
      if (decision.kind != DecisionKind::gone) {
        alert.severity = severity_of(decision.pair->verdict.confidence);
      }
      alert.tags.push_back(to_string(decision.pair->key.protocol));
    }
  }
  alert.id = sha256_hex(alert.kind + '\n' + alert.subject + '\n' + known).substr(0, kIdDigits);
  return alert;
}

}  // namespace beaconry
