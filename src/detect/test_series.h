#pragma once
// Series with a known truth, for tests of the statistics. The generator is our own, so that a seed
// means the same series with every standard library.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <vector>

#include "base/time.h"
#include "detect/settings.h"
#include "series/check_in.h"

namespace beaconry::test_series {

using Times = std::vector<double>;  // seconds since the first
using Series = std::vector<CheckIn>;

constexpr Timestamp kStart{std::chrono::seconds{1'700'000'000}};

// SplitMix64 (Steele, Lea and Flood 2014).
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t bits() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15ULL;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
    return z ^ z >> 31;
  }
  double uniform() { return (static_cast<double>(bits() >> 11) + 0.5) / 9007199254740992.0; }
  double uniform(double least, double most) { return least + (most - least) * uniform(); }
  double log_uniform(double least, double most) {
    return std::exp(uniform(std::log(least), std::log(most)));
  }
  std::size_t below(std::size_t end) { return static_cast<std::size_t>(bits() % end); }
  bool chance(double share) { return uniform() < share; }
  double exponential(double mean) { return -mean * std::log(uniform()); }
  double normal() {
    return std::sqrt(-2 * std::log(uniform())) * std::cos(2 * std::numbers::pi * uniform());
  }
  double log_normal(double median, double sigma) { return median * std::exp(sigma * normal()); }
  double pareto(double least, double alpha) { return least * std::pow(uniform(), -1 / alpha); }

 private:
  std::uint64_t state_;
};

// `count` check-ins, `next()` seconds apart.
template <class Next>
Times renewal(std::size_t count, Next next) {
  Times times;
  double now = 0;
  for (std::size_t i = 0; i < count; ++i) {
    times.push_back(now);
    now += next();
  }
  return times;
}

// How implants sleep. Jitter and shares are 0..1.
inline Times fixed(std::size_t count, double sleep) {
  return renewal(count, [&] { return sleep; });
}
inline Times shortened(Random& r, std::size_t count, double sleep, double jitter) {
  return renewal(count, [&] { return r.uniform(sleep * (1 - jitter), sleep); });  // Cobalt Strike
}
inline Times lengthened(Random& r, std::size_t count, double sleep, double most_more) {
  return renewal(count, [&] { return r.uniform(sleep, sleep + most_more); });  // Sliver
}
inline Times around(Random& r, std::size_t count, double sleep, double jitter) {
  return renewal(count, [&] { return r.uniform(sleep * (1 - jitter), sleep * (1 + jitter)); });
}
inline Times alternating(Random& r, std::size_t count, double first, double second, double grain) {
  bool odd = false;
  return renewal(count, [&] {
    odd = !odd;
    return (odd ? first : second) + r.uniform(0, grain);
  });
}
// Each visit but the first is lost with that chance.
inline Times lost(Random& r, const Times& times, double share) {
  Times kept;
  for (const double t : times) {
    if (kept.empty() || !r.chance(share)) kept.push_back(t);
  }
  return kept;
}
// Pauses of `off` seconds after each `on` seconds of activity: the clock stands still meanwhile.
inline Times stints(const Times& times, double on, double off) {
  Times moved;
  for (const double t : times)
    moved.push_back(t + off * std::floor(t / on));
  return moved;
}
inline Times together(Times a, const Times& b) {
  a.insert(a.end(), b.begin(), b.end());
  std::sort(a.begin(), a.end());
  return a;
}
// A schedule: each visit is late on its own, and lateness does not add up.
inline Times clock_locked(Random& r, std::size_t count, double period, double latest) {
  Times times;
  for (std::size_t i = 0; i < count; ++i)
    times.push_back(static_cast<double>(i) * period + r.uniform(0, latest));
  return times;
}

// What is nobody's rhythm.
inline Times poisson(Random& r, std::size_t count, double mean) {
  return renewal(count, [&] { return r.exponential(mean); });
}
inline Times shifted_exponential(Random& r, std::size_t count, double least, double mean) {
  return renewal(count, [&] { return least + r.exponential(mean); });
}
inline Times log_normal(Random& r, std::size_t count, double median, double sigma) {
  return renewal(count, [&] { return r.log_normal(median, sigma); });
}
inline Times pareto(Random& r, std::size_t count, double least, double alpha) {
  return renewal(count, [&] { return r.pareto(least, alpha); });
}
// People: sessions of log-normal reading times, with breaks that are Pareto distributed.
inline Times browsing(Random& r, std::size_t count) {
  const double reading = r.log_uniform(3, 60), breaks = r.log_uniform(300, 3600);
  const double stay = r.uniform(0.7, 0.97);
  return renewal(
      count, [&] { return r.chance(stay) ? r.log_normal(reading, 1.2) : r.pareto(breaks, 1.1); });
}

enum class Sizes { unknown, one, mostly_one, any };

// Check-ins as the store gives them: in order, gathered over the burst gap, to the millisecond.
inline Series series_of(Times times, Sizes sizes = Sizes::unknown, std::uint64_t seed = 1,
                        Duration burst_gap = std::chrono::seconds{1}) {
  Random r(seed);
  std::sort(times.begin(), times.end());
  Series series;
  for (const double t : times) {
    const Timestamp at = kStart + std::chrono::milliseconds{std::llround(t * 1e3)};
    CheckIn c;
    c.time = at;
    if (sizes != Sizes::unknown) {
      const bool usual = sizes == Sizes::one || (sizes == Sizes::mostly_one && r.chance(0.8));
      c.bytes_out = usual ? 420 : static_cast<std::uint64_t>(r.log_normal(900, 1));
      c.bytes_in = usual ? 180 : static_cast<std::uint64_t>(r.log_normal(9000, 1.8));
    }
    if (!series.empty() && at < series.back().time + series.back().span + burst_gap) {
      series.back().span = at - series.back().time;
      ++series.back().connections;
      if (sizes != Sizes::unknown) {
        series.back().bytes_out += c.bytes_out;
        series.back().bytes_in += c.bytes_in;
      }
      continue;
    }
    series.push_back(c);
  }
  return series;
}

}  // namespace beaconry::test_series
