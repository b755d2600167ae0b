#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alert/alert.h"
#include "base/result.h"
#include "config/values.h"

namespace beaconry {

// Which events of instruments become alerts: by patterns of their types, where * stands for any
// characters. The first that fits counts: those of `alerting.instrument_events`, in their order,
// then the defaults.
class InstrumentRules {
 public:
  InstrumentRules() = default;  // the defaults alone
  static Result<InstrumentRules> from(const ConfigValues& values);

  std::optional<Severity> severity_of(std::string_view type) const;  // empty: no alert

 private:
  struct Rule {
    std::string pattern;
    std::optional<Severity> severity;  // empty: none, though a later one fits
  };
  std::vector<Rule> rules_;
};

// * stands for any characters, also for none.
bool matches_pattern(std::string_view pattern, std::string_view text);

}  // namespace beaconry
