#include "detect/verdict.h"

namespace beaconry {

std::string_view to_string(Confidence confidence) {
  static constexpr std::string_view kNames[] = {"none", "low", "medium", "high", "critical"};
  return kNames[static_cast<std::size_t>(confidence)];
}

std::string_view to_string(SleepModel model) {
  static constexpr std::string_view kNames[] = {"none",   "fixed",       "shorten", "lengthen",
                                                "around", "alternating", "mixture", "clock_locked"};
  return kNames[static_cast<std::size_t>(model)];
}

}  // namespace beaconry
