#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "store/database.h"

namespace beaconry {

// Which enrolment token brings a machine that takes a sensor's place, in a table of its own. On
// disk when a call returns. Any thread may call.
class FleetReplacements {
 public:
  struct Replacement {
    std::string token;    // SHA-256 of the enrolment token
    std::string sensor;   // whose place it takes, by fingerprint
    std::string machine;  // the key that redeemed it; empty: not yet
  };

  static Result<std::unique_ptr<FleetReplacements>> open(Database& database);
  // Forgets those that expired and were not redeemed.
  Result<void> expect(const Replacement& replacement, Timestamp expires, Timestamp now);
  // Says who takes the place, before anything is handed over: what a crash interrupts goes on.
  Result<std::optional<Replacement>> redeem(const std::string& token, const std::string& machine);
  Result<std::vector<Replacement>> begun() const;  // redeemed, and not done()
  Result<void> done(const std::string& token);

 private:
  explicit FleetReplacements(Database& database) : database_(database) {}

  Database& database_;
};

}  // namespace beaconry
