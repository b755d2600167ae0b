#include "hunt/output/svg.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "base/text.h"
#include "base/time.h"
#include "hunt/output/wording.h"

namespace beaconry {
namespace {

constexpr double kWidth = 1000;
constexpr std::size_t kMostDots = 600;

std::string number(double value) {
  char text[48];
  std::snprintf(text, sizeof text, "%.1f", std::isfinite(value) ? value : 0);
  std::string plain = text;
  if (plain.size() > 2 && plain.substr(plain.size() - 2) == ".0") plain.resize(plain.size() - 2);
  return plain;
}

std::string open(double height, const std::string& words) {
  return "<svg class=\"chart\" viewBox=\"0 0 1000 " + number(height) + "\" height=\"" +
         number(height) + "\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"" +
         html_safe(words) + "\">";
}

std::string upright(double x, double width, double height, double floor) {
  return 'M' + number(x) + ' ' + number(floor) + 'v' + number(-height) + 'h' + number(width) + 'v' +
         number(height) + 'z';
}

}  // namespace

std::string timeline_svg(const Timeline& line) {
  constexpr double kHeight = 56;
  std::string svg = open(kHeight, "Check-ins over time, at most " + with_thousands(line.most) +
                                      " in " + to_words(line.step));
  std::string path;
  const double step = kWidth / static_cast<double>(std::max<std::size_t>(1, line.counts.size()));
  for (std::size_t i = 0; i < line.counts.size(); ++i) {
    if (line.counts[i] == 0) continue;
    const double share = static_cast<double>(line.counts[i]) / line.most;
    path +=
        upright(static_cast<double>(i) * step, step * 0.8, std::max(2.0, share * kHeight), kHeight);
  }
  return svg + "<path class=\"bar\" d=\"" + path + "\"/></svg>";
}

std::string histogram_svg(const Histogram& histogram, const std::string& words) {
  constexpr double kHeight = 150;
  std::string inside, outside;
  const double step = kWidth / static_cast<double>(std::max<std::size_t>(1, histogram.bars.size()));
  for (std::size_t i = 0; i < histogram.bars.size(); ++i) {
    const Bar& bar = histogram.bars[i];
    if (bar.count == 0) continue;
    const double share = static_cast<double>(bar.count) /
                         static_cast<double>(std::max<std::uint64_t>(1, histogram.most));
    (bar.side == Bar::Side::inside ? inside : outside) +=
        upright(static_cast<double>(i) * step + step * 0.06, step * 0.88,
                std::max(2.0, share * kHeight), kHeight);
  }
  return open(kHeight, words) + "<path class=\"bar\" d=\"" + inside +
         "\"/><path class=\"outside\" d=\"" + outside + "\"/></svg>";
}

std::string interval_dots_svg(const CheckIns& check_ins, double least, double most, double median) {
  constexpr double kHeight = 150, kMargin = 4;
  if (check_ins.size() < 2 || !(most > least)) return {};
  const Timestamp first = check_ins.front().time;
  const double span = std::max(1e-6, to_seconds(check_ins.back().time - first));
  const auto height_of = [&](double seconds) {
    const double share = std::clamp((seconds - least) / (most - least), 0.0, 1.0);
    return kHeight - kMargin - share * (kHeight - 2 * kMargin);
  };
  std::string dots;
  const std::size_t stride = (check_ins.size() - 2) / kMostDots + 1;
  for (std::size_t from = 1; from < check_ins.size(); from += stride) {
    // Scattered within each stride, or two intervals in turn would look like one.
    const std::size_t i =
        std::min(from + (from * 0x9e3779b97f4a7c15U >> 33) % stride, check_ins.size() - 1);
    const double x = to_seconds(check_ins[i].time - first) / span * kWidth;
    const double y = height_of(to_seconds(check_ins[i].time - check_ins[i - 1].time));
    dots += 'M' + number(std::clamp(x, 0.0, kWidth)) + ' ' + number(y) + "h0";
  }
  const std::string y = number(height_of(median));
  return open(kHeight, "Each interval at its time, from " + interval_words(least) + " to " +
                           interval_words(most) + ", median " + interval_words(median)) +
         "<path class=\"dots\" vector-effect=\"non-scaling-stroke\" d=\"" + dots +
         "\"/><path class=\"median\" vector-effect=\"non-scaling-stroke\" d=\"M0 " + y +
         "h1000\"/></svg>";
}

std::string meter_svg(double share) {
  const double width = std::clamp(std::isfinite(share) ? share : 0, 0.0, 1.0) * kWidth;
  return "<svg viewBox=\"0 0 1000 10\" height=\"10\" preserveAspectRatio=\"none\" "
         "aria-hidden=\"true\"><path class=\"track\" d=\"M0 0h1000v10H0z\"/><path class=\"bar\" "
         "d=\"M0 0h" +
         number(width) + "v10H0z\"/></svg>";
}

}  // namespace beaconry
