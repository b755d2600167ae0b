#include "sensor/storage_watch.h"

#include <algorithm>
#include <vector>

namespace beaconry {
namespace {

constexpr auto kEvery = std::chrono::minutes{30};
constexpr auto kKept = std::chrono::hours{24};
constexpr auto kLeast = std::chrono::hours{1};
constexpr double kDay = 86'400, kMostDays = 3650;

}  // namespace

void FillTrend::add(Timestamp now, std::uint64_t used) {
  if (last_ && now < last_->time) points_.clear();  // the clock was set back
  last_ = Point{now, used};
  if (points_.empty() || now - points_.back().time >= kEvery) points_.push_back(*last_);
  while (!points_.empty() && now - points_.front().time > kKept)
    points_.pop_front();
}

std::optional<double> FillTrend::days_to_full(std::uint64_t size) const {
  if (!last_ || points_.empty() || last_->time - points_.front().time < kLeast) return {};
  std::vector<Point> points(points_.begin(), points_.end());
  if (points.back().time != last_->time) points.push_back(*last_);
  std::vector<double> slopes;  // bytes a day; P. K. Sen, J. Am. Stat. Assoc. 63 (1968) 1379
  for (std::size_t i = 0; i < points.size(); ++i) {
    for (std::size_t j = i + 1; j < points.size(); ++j) {
      const double days = to_seconds(points[j].time - points[i].time) / kDay;
      if (days <= 0) continue;
      slopes.push_back((static_cast<double>(points[j].used) - static_cast<double>(points[i].used)) /
                       days);
    }
  }
  if (slopes.empty()) return {};
  const auto middle = slopes.begin() + static_cast<std::ptrdiff_t>(slopes.size() / 2);
  std::nth_element(slopes.begin(), middle, slopes.end());
  if (*middle <= 0) return {};
  const double left = size > last_->used ? static_cast<double>(size - last_->used) : 0;
  const double days = left / *middle;
  if (days > kMostDays) return {};
  return days;
}

}  // namespace beaconry
