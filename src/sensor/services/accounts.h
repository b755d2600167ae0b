#pragma once
#include <map>
#include <set>
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
  // Brings the broker to what these instances may do. Nothing is done for what is so already. An
  // account that the bus would not take stays as it was: an error where it is that of `concerned`,
  // for the others a word in the log.
  Result<void> follow(const std::map<std::string, const Manifest*>& instances,
                      const std::string& concerned, Broker& broker);
  // Ends its connection and keeps it out, until admit() or the next start of the platform.
  Result<void> bar(const std::string& instance, Broker& broker);
  Result<void> admit(const std::string& instance, Broker& broker);
  Result<void> remove(const std::string& instance, Broker& broker);

 private:
  Result<void> write() const;

  std::string file_;
  std::map<std::string, BusAccount> accounts_;
  std::set<std::string> barred_;
  std::set<std::string> refused_;  // whose wish was named in the log
};

}  // namespace beaconry
