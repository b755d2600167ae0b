#pragma once
#include <algorithm>

#include "base/time.h"

namespace beaconry {

// A clock for deadlines, made of the clock of the day as it is told often: a step of that clock,
// back or far ahead, does not move it, so that no deadline passes because somebody set the time.
class SteadyTime {
 public:
  // Between two calls no more than this passes: what is further is a step.
  static constexpr std::chrono::seconds kLongestPause{10};

  Timestamp at(Timestamp now) {
    if (last_ == Timestamp{})
      steady_ = now;
    else if (now > last_)
      steady_ += now - last_ > kLongestPause ? Duration{0} : now - last_;
    last_ = now;
    return steady_;
  }

 private:
  Timestamp last_{}, steady_{};
};

}  // namespace beaconry
