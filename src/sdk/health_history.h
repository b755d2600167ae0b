#pragma once

#include <map>
#include <string>

#include "bus/messages.h"

namespace beaconry::sdk {

// Completes what an author says of health: a whole is as bad as its worst part and has its cause,
// and every part knows since when it is in its state. One thread.
class HealthHistory {
 public:
  Health complete(Health health, const std::string& instance, Timestamp now);

 private:
  struct Seen {
    HealthState state{};
    Timestamp since{};
  };
  using States = std::map<std::string, Seen>;
  void date(Health& health, const std::string& path, Timestamp now, States& fresh) const;

  States seen_;  // by the names on the way to it
};

}  // namespace beaconry::sdk
