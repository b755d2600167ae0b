#pragma once
#include <array>
#include <cstdint>
#include <optional>

#include "base/time.h"

namespace beaconry {

// How far a probe's clock is from home's, learnt from its pings: the least of the last kKept delays
// of tries that were newer than all before. A delay holds the way and the skew; only what exceeds
// the least one is the way's. So a clock that is days off makes nothing late, and one that was set
// anew is followed: at once where it went back behind itself, else within kKept pings.
class ProbeClock {
 public:
  static constexpr std::size_t kKept = 8;

  // How much longer than usual this was under way; nothing while nothing is known.
  std::optional<Duration> excess(Timestamp sent, Timestamp received) const;
  // True if it arrived over `most` later than usual. Learns from it.
  bool is_late(std::uint64_t sequence, Timestamp sent, Timestamp received, Duration most);

 private:
  std::array<Duration, kKept> delays_{};
  std::size_t count_ = 0, next_ = 0;
  std::uint64_t newest_ = 0;
  Timestamp newest_sent_{};
};

}  // namespace beaconry
