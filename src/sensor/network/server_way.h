#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "base/ip_address.h"

namespace beaconry {

// The interfaces by which the machine reaches its server, as its routes are at the moment. Any
// thread.
class ServerWay {
 public:
  explicit ServerWay(const std::string& server_url);  // empty: there is none

  // Asks for the addresses of a server that is known by name. Blocks as long as resolvers take.
  void resolve();
  bool is_name() const { return is_name_; }

  // With those below them: of a VLAN, of a bridge. For a name that was not resolved yet: those of
  // the default routes.
  std::vector<std::string> interfaces() const;
  // Also these, whatever the routes are: those of the management network.
  void set_own(const std::vector<std::string>& interfaces);
  std::vector<std::string> reserved() const;

 private:
  std::string host_;
  bool is_name_ = false;
  mutable std::mutex mutex_;
  std::vector<IpAddress> addresses_;
  std::vector<std::string> own_;
};

}  // namespace beaconry
