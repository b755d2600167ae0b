#pragma once
#include <array>
#include <cstdint>
#include <span>

namespace beaconry::accuracy {

// RITA v5's beacon score, restated from its published formulas. Only for comparison.
constexpr std::size_t kRitaBins = 24;
constexpr double kRitaWindowSeconds = 86400;

struct RitaScore {
  double timing = 0;
  double size = 0;
  double histogram = 0;
  double duration = 0;
  double score = 0;  // 0..1
  bool qualifies = false;
};

// Scores one series: the times of its connections, in seconds, in any order, and what each sent in
// IP bytes; `newest` is the time of the newest record of the whole input, where the window ends.
RitaScore rita_score(std::span<const double> times, std::span<const double> sizes, double newest);

// Its parts.
double rita_statistic(std::span<const double> values, double default_mad_score);
double rita_histogram(const std::array<std::uint32_t, kRitaBins>& bins);
double rita_duration(const std::array<std::uint32_t, kRitaBins>& bins, double covered_seconds);

}  // namespace beaconry::accuracy
