#include "sensor/services/talk_limit.h"

#include <string>

namespace beaconry {
namespace {

constexpr std::size_t kBytes = 4096;            // that cost as much as a message
constexpr std::chrono::seconds kQuiet{1};       // ends an overrun
constexpr std::chrono::seconds kWordPause{60};  // it counts as flooding, and is named once

}  // namespace

void TalkLimit::set(unsigned events_per_second) {
  if (events_per_second == events_per_second_) return;
  events_per_second_ = events_per_second;
  bucket_ = RateBucket(rate(events_per_second), kMost);
}

TalkLimit::Verdict TalkLimit::charge(std::size_t bytes, Timestamp steady) {
  const double cost = 1 + static_cast<double>(bytes / kBytes);
  if (barred_) {  // what was on its way
    ++dropped_;
    return Verdict::drop;
  }
  if (bucket_.take(steady, cost)) return Verdict::take;
  ++dropped_;
  if (!last_ || steady - *last_ > kQuiet) {
    since_ = steady;
    overrun_ = 0;
    news_ = true;
  }
  last_ = steady;
  overrun_ += cost;
  if (overrun_ < kOverrun && steady - *since_ < kLong) return Verdict::drop;
  barred_ = steady + kBar;
  since_.reset();
  news_ = false;
  return Verdict::bar;
}

bool TalkLimit::take_end_of_bar(Timestamp steady) {
  if (!barred_ || steady < *barred_) return false;
  barred_.reset();
  last_.reset();
  return true;
}

bool TalkLimit::take_news(Timestamp steady) {
  if (!news_ || (next_word_ && steady < *next_word_)) return false;
  news_ = false;
  next_word_ = steady + kWordPause;
  return true;
}

Health TalkLimit::health(Timestamp steady) const {
  Health health;
  health.name = "bus";
  health.state = HealthState::healthy;
  if (!barred_ && (!last_ || steady - *last_ > kWordPause)) return health;
  health.state = HealthState::degraded;
  health.cause = barred_ ? "kept off the bus: it flooded it" : "floods the bus";
  health.evidence = std::to_string(dropped_) + " messages dropped";
  health.fix = "look at what it says; it is let in again by itself after a minute";
  return health;
}

}  // namespace beaconry
