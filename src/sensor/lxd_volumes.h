#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sensor/lxd_connection.h"
#include "sensor/runtime.h"

namespace beaconry::lxd {

// Storage volumes of ours, with their quotas, and the room of the pool. Any thread.
class Volumes {
 public:
  Volumes(const Connection& lxd, std::string pool) : lxd_(lxd), pool_(std::move(pool)) {}
  Result<void> make(const std::string& name, std::uint64_t bytes) const;  // or resizes
  Result<void> remove(const std::string& name) const;
  Result<std::vector<std::string>> list() const;
  Result<std::uint64_t> used(const std::string& name) const;
  Result<PoolSpace> space() const;

 private:
  std::string at(const std::string& name) const;
  Result<Json> one(const std::string& name) const;

  const Connection& lxd_;
  const std::string pool_;
};

}  // namespace beaconry::lxd
