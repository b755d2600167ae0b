#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "fleet/selector.h"
#include "store/database.h"

namespace beaconry {

// Which groups of sensors there are, in a table of their own. On disk when a call returns. Any
// thread may call.
class FleetGroups {
 public:
  static constexpr std::size_t kMostGroups = 500;

  struct Group {
    std::string name;
    Selector selector;
    std::int64_t priority = 0;  // the higher one is the later layer; equal ones go by name
  };

  static Result<std::unique_ptr<FleetGroups>> open(Database& database);
  Result<void> put(const Group& group);
  Result<void> remove(const std::string& name);
  Result<std::vector<Group>> list() const;  // in the order of their layers

 private:
  explicit FleetGroups(Database& database) : database_(database) {}

  Database& database_;
};

// 1 to 63 letters, digits, '.', '_', '-'.
Result<void> check_group_name(const std::string& name);

}  // namespace beaconry
