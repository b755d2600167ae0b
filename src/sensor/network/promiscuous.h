#pragma once

#include <string>

#include "base/result.h"
#include "sensor/network/links.h"

namespace beaconry {

// Captured interfaces hear all of their segment, not what is addressed to this machine only. Whose
// mirrors need that is kept as files (PROMISC.INTERFACE.ID), since the setting outlives a killed
// daemon, as mirrors do; the last one gone turns it off, unless somebody else had turned it on.
class Promiscuous {
 public:
  explicit Promiscuous(std::string folder) : folder_(std::move(folder)) {}

  Result<void> turn_on(Links& host, const Link& captured, const std::string& id) const;
  void turn_off(Links& host, const std::string& captured, const std::string& id) const;

 private:
  std::string prefix(const std::string& captured) const { return "promisc." + captured + "."; }
  bool is_ours(const std::string& captured) const;
  std::string folder_;
};

}  // namespace beaconry
