#pragma once
#include <absl/container/flat_hash_map.h>

#include <string>
#include <vector>

#include "flow/flow_event.h"

namespace beaconry::accuracy {

// Every connection of an input, as the rivals see it.
class ConnectionList : public FlowSink {
 public:
  struct Connection {
    PairKey pair;
    double time = 0;          // seconds since the epoch
    double bytes = 0;         // both ways; unknown counts as 0, as it does for the rivals
    double out_ip_bytes = 0;  // with estimated headers, where an input has payload alone
    std::uint32_t name = 0;   // an index into names(); 0: none. From TLS or HTTP only
  };

  void add(const FlowEvent& event) override;
  void add_host_name(const IpAddress&, std::string_view, Timestamp) override {}
  void add_address_name(const IpAddress&, std::string_view, Timestamp) override {}

  const std::vector<Connection>& connections() const { return connections_; }
  const std::vector<std::string>& names() const { return names_; }
  double newest() const { return newest_; }

 private:
  std::vector<Connection> connections_;
  std::vector<std::string> names_{""};
  absl::flat_hash_map<std::string, std::uint32_t> name_ids_;
  double newest_ = 0;
};

}  // namespace beaconry::accuracy
