#pragma once

#include <string>
#include <vector>

#include "sensor/lxd_connection.h"

namespace beaconry::lxd {

// Images of ours in LXD's store, by the SHA-256 of their file. One that is there already, brought
// by another, is used and stays when ours are removed. Any thread.
class Images {
 public:
  explicit Images(const Connection& lxd) : lxd_(lxd) {}
  Result<void> import(const std::string& file, const std::string& fingerprint) const;
  Result<void> remove(const std::string& fingerprint) const;
  Result<std::vector<std::string>> list() const;

 private:
  Result<bool> is_there(const std::string& fingerprint, bool& ours) const;
  const Connection& lxd_;
};

}  // namespace beaconry::lxd
