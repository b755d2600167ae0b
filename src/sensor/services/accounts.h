#pragma once
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "bus/broker.h"
#include "image/manifest.h"

namespace beaconry {

// The instances' accounts on the bus: who has which password and may do what. Kept on disk, so that
// instruments that run on while the platform is away find their account again.
class Accounts {
 public:
  explicit Accounts(std::string file) : file_(std::move(file)) {}
  Result<void> read();  // a damaged file: everybody gets a new password, and that is logged
  std::vector<BusAccount> all() const;
  bool has(const std::string& instance) const { return accounts_.count(instance) != 0; }

  // The instance's password, made and kept at first.
  Result<std::string> password(const std::string& instance);
  // Brings the broker to what these instances may do. Nothing is done for what is so already.
  Result<void> follow(const std::map<std::string, const Manifest*>& instances, Broker& broker);
  Result<void> remove(const std::string& instance, Broker& broker);

 private:
  Result<void> write() const;

  std::string file_;
  std::map<std::string, BusAccount> accounts_;
};

}  // namespace beaconry
