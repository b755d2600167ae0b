#pragma once
#include <chrono>

#include "base/time.h"

namespace beaconry {

// This machine's clock, for how long ago something was.
inline Timestamp clock_now() {
  return std::chrono::floor<Duration>(std::chrono::system_clock::now());
}

}  // namespace beaconry
