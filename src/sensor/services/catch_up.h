#pragma once
#include <chrono>
#include <cstdint>

#include "base/time.h"

namespace beaconry {

// Whether an instance's share of the spool is full because the server was away: until less than
// half of it waits again, or for a while at most. Pure; times are steady.
class CatchUp {
 public:
  static constexpr std::chrono::minutes kLongest{10};  // since the server is back

  void see(bool connected, std::uint64_t waiting, std::uint64_t share, Timestamp steady) {
    if (waiting <= share / 2) {
      until_ = {};
    } else if (!connected) {
      until_ = steady + kLongest;
    }
  }
  bool lasts(Timestamp steady) const { return steady < until_; }

 private:
  Timestamp until_{};
};

}  // namespace beaconry
