#pragma once
#include <cstdint>
#include <span>

namespace beaconry::simulate {

// A stream of pseudo-random numbers (xoshiro256**, Blackman & Vigna 2018) with its own
// distributions: those of the standard library give other numbers with every library. Each actor
// forks its own stream, so adding one actor does not change what the others do.
class Random {
 public:
  explicit Random(std::uint64_t seed);
  Random fork(std::uint64_t tag) const;  // an independent stream for `tag`

  std::uint64_t next();
  double uniform();                            // [0, 1)
  double uniform(double from, double to);      // [from, to)
  double log_uniform(double from, double to);  // every octave equally likely; REQUIRES from > 0
  std::uint64_t below(std::uint64_t bound);    // [0, bound), 0 for bound 0
  int between(int from, int to);               // [from, to]
  bool chance(double probability);
  double exponential(double mean);
  double normal(double mean, double deviation);
  double log_normal(double median, double sigma);          // sigma of the logarithm
  double pareto(double least, double alpha, double most);  // cut off at `most`
  std::size_t zipf(std::size_t count, double exponent);    // rank in [0, count), 0 commonest

  template <class T>
  const T& pick(const std::span<T>& from) {
    return from[below(from.size())];
  }

 private:
  std::uint64_t seed_;
  std::uint64_t state_[4];
};

// A well mixed function of its arguments, for choices that must not depend on the order of draws.
std::uint64_t mix(std::uint64_t a, std::uint64_t b = 0, std::uint64_t c = 0);

}  // namespace beaconry::simulate
