#pragma once
#include <algorithm>
#include <chrono>
#include <random>

namespace beaconry {

// How long to wait before the next try: twice as long each time, up to five minutes, and up to a
// quarter more or less, so that many waiters do not come back at once.
class Backoff {
 public:
  void reset() { delay_ = kFirst; }

  std::chrono::milliseconds next() {
    const auto base = delay_;
    delay_ = std::min(delay_ * 2, kMost);
    std::uniform_int_distribution<std::int64_t> spread(-base.count() / 4, base.count() / 4);
    return std::min(base + std::chrono::milliseconds{spread(random_)}, kMost);
  }

 private:
  static constexpr std::chrono::milliseconds kFirst{1000}, kMost{300'000};
  std::chrono::milliseconds delay_ = kFirst;
  std::minstd_rand random_{std::random_device{}()};
};

}  // namespace beaconry
