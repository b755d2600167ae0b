#include "hunt/output/pictures.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/text.h"
#include "hunt/output/wording.h"

namespace beaconry {
namespace {

constexpr double kWide = 20;  // highest over lowest: from here on logarithmic

double quantile(const std::vector<double>& sorted, double share) {
  return sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1))];
}

// Bars over [least, most] for sorted values; what is outside goes into one bar on each side.
Histogram ranges(const std::vector<double>& sorted, double least, double most, std::size_t count) {
  Histogram result;
  result.total = sorted.size();
  const bool logarithmic = least > 0 && most / least > kWide;
  std::vector<double> edges;
  for (std::size_t i = 0; i <= count; ++i) {
    const double at = static_cast<double>(i) / static_cast<double>(count);
    edges.push_back(logarithmic ? least * std::pow(most / least, at) : least + (most - least) * at);
  }
  const auto from = [&](double value) {
    return std::lower_bound(sorted.begin(), sorted.end(), value);
  };
  const auto add = [&](double low, double high, std::vector<double>::const_iterator begin,
                       std::vector<double>::const_iterator end, Bar::Side side) {
    const auto n = static_cast<std::uint64_t>(end - begin);
    if (side != Bar::Side::inside && n == 0) return;
    result.bars.push_back({low, high, n, side});
    result.most = std::max(result.most, n);
  };
  add(0, edges.front(), sorted.begin(), from(edges.front()), Bar::Side::below);
  for (std::size_t i = 0; i < count; ++i)
    add(edges[i], edges[i + 1], from(edges[i]), from(edges[i + 1]), Bar::Side::inside);
  add(edges.back(), sorted.back(), from(edges.back()), sorted.end(), Bar::Side::above);
  return result;
}

}  // namespace

Timeline timeline_of(const CheckIns& check_ins, std::size_t columns) {
  Timeline line;
  if (check_ins.empty() || columns == 0) return line;
  line.first = check_ins.front().time;
  line.last = std::max(line.first, check_ins.back().time);
  line.counts.assign(columns, 0);
  const Duration span = line.last - line.first;
  line.step = Duration{span.count() / static_cast<Duration::rep>(columns) + 1};
  for (const CheckIn& check_in : check_ins) {
    const Duration since = std::clamp(check_in.time - line.first, Duration{0}, span);
    const auto column = std::min(static_cast<std::size_t>(since / line.step), columns - 1);
    line.most = std::max(line.most, ++line.counts[column]);
  }
  return line;
}

Histogram interval_histogram(const CheckIns& check_ins, std::size_t bars) {
  std::vector<double> intervals;
  for (std::size_t i = 1; i < check_ins.size(); ++i)
    intervals.push_back(std::max(0.0, to_seconds(check_ins[i].time - check_ins[i - 1].time)));
  if (intervals.empty() || bars == 0) return {};
  std::sort(intervals.begin(), intervals.end());
  double least = quantile(intervals, 0.05), most = quantile(intervals, 0.95);
  // A margin, so that the edges of a bounded sleep can be seen to be edges.
  const double margin = std::max({(most - least) * 0.15, most * 0.02, 0.001});
  if (most > kWide * std::max(least, 0.001)) {
    least = std::max(least, 0.001) / 1.3, most *= 1.3;
  } else {
    least = std::max(0.0, least - margin), most += margin;
  }
  return ranges(intervals, least, most, bars);
}

Histogram size_histogram(const CheckIns& check_ins, bool out, std::size_t bars) {
  std::vector<double> sizes;
  std::uint64_t unknown = 0;
  std::map<std::uint64_t, std::uint64_t> values;  // emptied once they are too many
  bool few = true;
  for (const CheckIn& check_in : check_ins) {
    const std::uint64_t bytes = out ? check_in.bytes_out : check_in.bytes_in;
    if (bytes == kUnknownBytes) {
      ++unknown;
      continue;
    }
    sizes.push_back(static_cast<double>(bytes));
    if (!few) continue;
    ++values[bytes];
    few = values.size() <= bars;
  }
  Histogram result;
  if (sizes.empty() || bars == 0) {
    result.unknown = unknown;
    return result;
  }
  if (few) {
    result.single_values = true;
    result.total = sizes.size();
    for (const auto& [bytes, count] : values) {
      const auto value = static_cast<double>(bytes);
      result.bars.push_back({value, value, count, Bar::Side::inside});
      result.most = std::max(result.most, count);
    }
  } else {
    std::sort(sizes.begin(), sizes.end());
    const double least = std::max(1.0, quantile(sizes, 0.01));
    result = ranges(sizes, least, std::max(least, quantile(sizes, 0.99)) * 1.01, bars);
  }
  result.unknown = unknown;
  return result;
}

std::string interval_label(const Bar& bar) {
  switch (bar.side) {
    case Bar::Side::below:
      return "below " + interval_words(bar.to);
    case Bar::Side::above:
      return "above " + interval_words(bar.from);
    case Bar::Side::inside:
      break;
  }
  return (bar.from <= 0 ? "0" : interval_words(bar.from)) + " - " + interval_words(bar.to);
}

std::string size_label(const Bar& bar, bool single_values) {
  switch (bar.side) {
    case Bar::Side::below:
      return "below " + bytes_in_words(bar.to);
    case Bar::Side::above:
      return "above " + bytes_in_words(bar.from);
    case Bar::Side::inside:
      break;
  }
  if (single_values) return with_thousands(static_cast<std::uint64_t>(bar.from)) + " B";
  return bytes_in_words(bar.from) + " - " + bytes_in_words(bar.to);
}

}  // namespace beaconry
