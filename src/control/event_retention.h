#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "config/values.h"

namespace beaconry {

// For how long events of instruments are kept, by patterns of their types, where * stands for any
// characters: `instrument_events.retention_of`. The first that fits counts.
class EventRetention {
 public:
  EventRetention() = default;  // none has its own
  static Result<EventRetention> from(const ConfigValues& values);

  std::optional<Duration> of(std::string_view type) const;  // nothing: as all others

 private:
  struct Rule {
    std::string pattern;
    Duration kept;
  };
  std::vector<Rule> rules_;
};

}  // namespace beaconry
