#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "bus/messages.h"
#include "escape/config.h"

namespace beaconry {

// What the probe's lines (docs/escape.md) say of how it is. One thread; time is handed in, and is
// one that nobody can set.
class ProbeWatch {
 public:
  using Clock = std::chrono::steady_clock;

  // For how long a probe may be without an attempt, by its schedule: thirty attempts as its budget
  // allows them, at least three minutes; without a long cycle also a whole short period.
  static std::chrono::seconds patience(const ProbeConfig& config);

  void started(std::chrono::seconds patience, Clock::time_point now);

  // Home's answer to an attempt: a way that is open in both directions.
  struct Answer {
    std::string method, destination, line;
  };
  // Once an hour for each method and destination.
  std::optional<Answer> take(std::string_view line, Clock::time_point now);

  Health attempts(Clock::time_point now) const;  // the part "attempts"
  std::uint64_t tried() const { return tried_; }
  std::uint64_t answered() const { return answered_; }
  const std::string& last_line() const { return last_line_; }

 private:
  std::chrono::seconds patience_{180};
  Clock::time_point since_{}, last_try_{}, last_came_{};
  std::uint64_t tried_ = 0, answered_ = 0, tried_now_ = 0;
  std::string last_line_, last_reason_;  // why nothing is tried: the last skip or silent
  std::map<std::string, Clock::time_point> told_;
};

}  // namespace beaconry
