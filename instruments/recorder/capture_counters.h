#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "bus/messages.h"

namespace beaconry {

// What tcpdump answers to SIGUSR1: "tcpdump: 12 packets captured, 12 packets received by filter, 0
// packets dropped by kernel".
struct CaptureCounters {
  std::uint64_t captured = 0, received = 0, dropped = 0;

  static std::optional<CaptureCounters> parse(std::string_view line);
};

// Whether a tcpdump records: it answers, what it captures is written, and nothing is dropped. One
// thread; time is one that nobody can set.
class RecordingWatch {
 public:
  using Clock = std::chrono::steady_clock;

  void started(Clock::time_point now);
  void asked(Clock::time_point now) { asked_ = now; }
  bool is_due(Clock::time_point now) const { return now - asked_ >= kEvery; }
  // An answer, and how far the files were then (Recordings::progress()).
  void take(const CaptureCounters& counters, const std::string& progress, Clock::time_point now);
  Health health(Clock::time_point now) const;  // the part "recording"
  const CaptureCounters& counters() const { return counters_; }

  static constexpr std::chrono::seconds kEvery{5};

 private:
  CaptureCounters counters_;
  std::string progress_;
  Clock::time_point asked_{}, answered_{}, dropping_{};
  std::uint64_t dropped_lately_ = 0;
  unsigned stuck_ = 0;  // answers in a row with more packets and no more bytes
  bool heard_ = false;
};

}  // namespace beaconry
