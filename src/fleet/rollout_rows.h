#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "fleet/rollout.h"
#include "store/database.h"

namespace beaconry {

// Rollouts as they lie in their table.
struct RolloutRow {
  std::uint64_t id = 0;
  std::string target, who;
  Timestamp started{};
  std::uint64_t base = 0;  // version of the layer's document when it started; 0: none was there
  std::shared_ptr<const std::string> before, after;  // the layer's documents; never null
  std::uint64_t version = 0;  // of the layer's document that `after` became; 0: not yet
  Rollout rollout;
};

Result<void> make_rollout_table(Database& database);
Result<std::vector<RolloutRow>> read_rollouts(Database& database);  // oldest first
Result<std::optional<RolloutRow>> read_rollout(Database& database, std::uint64_t id);
Result<std::uint64_t> insert_rollout(Database& database, const RolloutRow& row);  // its id
Result<void> update_rollout(Database& database, const RolloutRow& row);
Result<void> remove_rollout(Database& database, std::uint64_t id);

}  // namespace beaconry
