#pragma once
#include <array>
#include <string>
#include <vector>

#include "accuracy/inputs.h"

namespace beaconry::accuracy {

// Who is compared. The first is this project's.
constexpr std::array<const char*, 5> kDetectors = {"Beaconry", "predecessor, 1 h windows",
                                                   "predecessor, one window", "RITA v5 at .70",
                                                   "RITA v5 at .85"};
using Cards = std::array<ScoreCard, kDetectors.size()>;

// All detectors on one input.
Result<Cards> try_all(const std::string& program, const Input& input);

struct DayResult {
  std::string name;
  Cards cards;
};
struct CaptureResult {
  std::string name;
  std::size_t c2 = 0;
  Cards cards;
};
// How many check-ins each malicious pair needed, by class; 0 where it was not found at all.
struct NeededCheckIns {
  std::array<std::map<std::string, std::vector<std::size_t>>, kDetectors.size()> by_class;
};
constexpr std::array<std::size_t, 10> kTruncations = {4, 6, 8, 10, 12, 16, 24, 32, 64, 128};

struct Results {
  std::string command;
  std::vector<DayResult> development;
  std::vector<DayResult> held_back;
  std::vector<CaptureResult> captures;
  bool captures_skipped = false;
  NeededCheckIns needed;
  bool needed_measured = false;
};

std::string to_markdown(const Results& results);

}  // namespace beaconry::accuracy
