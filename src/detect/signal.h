#pragma once
#include <span>

#include "detect/evidence.h"
#include "detect/settings.h"
#include "detect/verdict.h"

namespace beaconry {

// What a signal measured: a score in 0..1 and the quantity behind it.
struct Measurement {
  double score = 0;
  double raw_value = 0;
  double threshold = 0;
};

// One way to see a machine in a series. signals/WORD.cc defines beaconry::signals::WORD; the
// weights of all signals in the table sum to 1.
struct Signal {
  const char* name;
  double DetectionSettings::*weight;
  Measurement (*measure)(const Evidence& evidence, const DetectionSettings& settings);
};

std::span<const Signal* const> signals_table();

}  // namespace beaconry
