#include "detector/canary_watch.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "base/text.h"
#include "sensor/canary_traffic.h"

namespace beaconry {
namespace {

constexpr std::chrono::minutes kRetention{10};
constexpr std::chrono::seconds kScoreEvery{5};
constexpr unsigned kRoundsOfPatience = 6;  // check-ins that may be missing before it is a fault
constexpr std::chrono::seconds kFirstFind{90};  // five check-ins are the least that can be scored
constexpr double kIntervalTolerance = 0.1;
constexpr std::size_t kMemory = 16 << 20;

std::string rounded(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f", value);
  return text;
}

std::string ago(Timestamp now, Timestamp then) {
  return to_words(
      std::max<Duration>(Duration{0}, std::chrono::floor<std::chrono::seconds>(now - then)));
}

}  // namespace

bool is_canary(const PairKey& pair) {
  static const IpAddress source = *IpAddress::parse(kCanarySource);
  static const IpAddress destination = *IpAddress::parse(kCanaryDestination);
  return pair.source == source && pair.destination == destination && pair.port == kCanaryPort &&
         pair.protocol == Protocol::udp;
}

CanaryWatch::CanaryWatch(std::chrono::seconds export_interval)
    : patience_(kRoundsOfPatience * kCanaryEvery + 2 * export_interval) {
  LiveHunt::Settings settings;
  settings.hunt.memory_limit = kMemory;
  settings.retention = kRetention;
  settings.least_kept = 0;
  hunt_ = std::make_unique<LiveHunt>(settings);
}

void CanaryWatch::add(const FlowEvent& event, Timestamp now) {
  if (!is_canary(event.pair)) return;
  if (!sink_) sink_ = hunt_->sink("canary", now);
  sink_->add(event);
  if (!event.begins_check_in) return;
  ++check_ins_;
  last_seen_ = std::max(last_seen_, event.time);
}

void CanaryWatch::work(Timestamp now) {
  if (sink_) {
    sink_->settle();
    sink_.reset();
  }
  // A clock that was set back must not end it.
  if (now < scored_ + kScoreEvery && now > scored_ - kScoreEvery) return;
  scored_ = now;
  hunt_->expire(now);
  const auto analysis = hunt_->analyze([] { return true; });
  score_ = interval_ = 0;
  why_ = "too few check-ins to judge";
  if (!analysis) return;
  for (const ScoredPair& pair : analysis->pairs) {
    if (!is_canary(pair.key)) continue;
    score_ = pair.verdict.combined_score;
    interval_ = pair.verdict.interval_seconds;
    const double wanted = to_seconds(kCanaryEvery);
    if (!pair.verdict.is_beacon)
      why_ = "its score is " + rounded(score_);
    else if (std::abs(interval_ / wanted - 1) > kIntervalTolerance)
      why_ = "its interval is given as " + rounded(interval_) + " s";
    else
      last_found_ = pair.last_seen;
  }
}

Health CanaryWatch::health(Timestamp now, Timestamp started) const {
  Health part;
  part.name = "detection canary";
  if (last_found_ != Timestamp{} && now - last_found_ <= patience_) {
    part.state = HealthState::healthy;
    part.evidence = "known traffic came back as a beacon every " + rounded(interval_) +
                    " s, score " + rounded(score_) + "; last check-in " + ago(now, last_found_) +
                    " ago";
    return part;
  }
  const Duration waited = now - std::max(started, last_found_);
  if (waited >= Duration{0} && waited <= kFirstFind + patience_ && last_found_ < started) {
    part.state = HealthState::unknown;
    part.cause = "no verdict on the canary yet";
    part.evidence = with_thousands(check_ins_) + " of its check-ins in " + ago(now, started);
    return part;
  }
  part.state = HealthState::failed;
  if (check_ins_ == 0 || now - last_seen_ > patience_) {
    part.cause = "the canary does not come back";
    part.evidence = check_ins_ == 0 ? "the collector has never seen it"
                                    : "the collector saw it last " + ago(now, last_seen_) + " ago";
    part.fix =
        "see whether the interface is a mirror, bridge or macvlan that the sensor can put the "
        "canary on ('beaconry sensor status'); for others set 'canary: false'";
  } else {
    part.cause = "detection does not find the canary";
    part.evidence = "the collector saw it " + ago(now, last_seen_) + " ago, and " + why_;
    part.fix = "see whether the collector drops packets, and whether the machine is overloaded";
  }
  return part;
}

}  // namespace beaconry
