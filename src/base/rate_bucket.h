#pragma once
#include <algorithm>

#include "base/time.h"

namespace beaconry {

// So many a second, with bursts of as many as `most`. A clock that is set back costs nothing.
class RateBucket {
 public:
  RateBucket(double a_second, double most) : rate_(a_second), most_(most), left_(most) {}

  bool take(Timestamp now, double cost = 1) {
    if (now > at_) left_ = std::min(most_, left_ + to_seconds(now - at_) * rate_);
    at_ = now;
    if (left_ < cost) return false;
    left_ -= cost;
    return true;
  }

 private:
  double rate_, most_, left_;
  Timestamp at_ = kLatest;  // nothing comes in before the first time
};

}  // namespace beaconry
