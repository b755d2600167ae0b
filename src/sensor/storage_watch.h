#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "base/time.h"

namespace beaconry {

// How a volume fills: from what it held over the last day to the days that are left until it is
// full. The slope is the median of those between all pairs of points (Theil-Sen), so that one large
// file that comes and goes moves it little.
class FillTrend {
 public:
  void add(Timestamp now, std::uint64_t used);
  // Nothing while it is not known (under an hour of points), or it does not grow.
  std::optional<double> days_to_full(std::uint64_t size) const;

 private:
  struct Point {
    Timestamp time{};
    std::uint64_t used = 0;
  };
  std::deque<Point> points_;  // every half hour at most, of one day
  std::optional<Point> last_;
};

}  // namespace beaconry
