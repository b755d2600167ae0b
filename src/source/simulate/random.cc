#include "source/simulate/random.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>

namespace beaconry::simulate {
namespace {

std::uint64_t split_mix(std::uint64_t& state) {
  state += 0x9e3779b97f4a7c15ULL;
  std::uint64_t z = state;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

}  // namespace

std::uint64_t mix(std::uint64_t a, std::uint64_t b, std::uint64_t c) {
  std::uint64_t state = a;
  state = split_mix(state) ^ b;
  state = split_mix(state) ^ c;
  return split_mix(state);
}

Random::Random(std::uint64_t seed) : seed_(seed) {
  for (std::uint64_t& word : state_)
    word = split_mix(seed);
}

Random Random::fork(std::uint64_t tag) const {
  return Random(mix(seed_, tag, 0xf02c));
}

std::uint64_t Random::next() {
  const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const std::uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

double Random::uniform() {
  return static_cast<double>(next() >> 11) * 0x1.0p-53;
}

double Random::uniform(double from, double to) {
  return from + (to - from) * uniform();
}

double Random::log_uniform(double from, double to) {
  return std::exp(uniform(std::log(from), std::log(to)));
}

std::uint64_t Random::below(std::uint64_t bound) {
  const double scaled = uniform() * static_cast<double>(bound);
  return bound == 0 ? 0 : std::min(bound - 1, static_cast<std::uint64_t>(scaled));
}

int Random::between(int from, int to) {
  return from + static_cast<int>(below(static_cast<std::uint64_t>(std::max(0, to - from)) + 1));
}

bool Random::chance(double probability) {
  return uniform() < probability;
}

double Random::exponential(double mean) {
  return -mean * std::log1p(-uniform());
}

double Random::normal(double mean, double deviation) {
  const double radius = std::sqrt(-2 * std::log1p(-uniform()));
  return mean + deviation * radius * std::cos(2 * std::numbers::pi * uniform());
}

double Random::log_normal(double median, double sigma) {
  return median * std::exp(normal(0, sigma));
}

double Random::pareto(double least, double alpha, double most) {
  return std::min(most, least * std::pow(1 - uniform(), -1 / alpha));
}

// The inverse of the continuous power law's distribution over [1, count + 1).
std::size_t Random::zipf(std::size_t count, double exponent) {
  const double most = static_cast<double>(count) + 1;
  const double u = uniform();
  const double power = 1 - exponent;
  const double rank = std::abs(power) < 1e-9
                          ? std::exp(u * std::log(most))
                          : std::pow(1 + u * (std::pow(most, power) - 1), 1 / power);
  return std::min(count - 1, static_cast<std::size_t>(rank) - 1);
}

}  // namespace beaconry::simulate
