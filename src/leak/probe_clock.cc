#include "leak/probe_clock.h"

#include <algorithm>

namespace beaconry {

std::optional<Duration> ProbeClock::excess(Timestamp sent, Timestamp received) const {
  if (count_ == 0) return std::nullopt;
  const auto end = delays_.begin() + static_cast<std::ptrdiff_t>(count_);
  return received - sent - *std::min_element(delays_.begin(), end);
}

bool ProbeClock::is_late(std::uint64_t sequence, Timestamp sent, Timestamp received,
                         Duration most) {
  const bool newer = sequence > newest_;
  if (newer && sent < newest_sent_) count_ = next_ = 0;  // a later try of an earlier time: set back
  const auto beyond = excess(sent, received);
  if (newer) {
    delays_[next_] = received - sent;
    next_ = (next_ + 1) % kKept;
    count_ = std::min(count_ + 1, kKept);
    newest_ = sequence;
    newest_sent_ = sent;
  }
  return beyond && *beyond > most;
}

}  // namespace beaconry
