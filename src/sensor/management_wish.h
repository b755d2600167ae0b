#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "sensor/json_reader.h"

namespace beaconry {

// The sensor's own way to its server, of the desired state: an interface of the machine with all
// that is to be set there.
struct ManagementWish {
  std::string interface;
  std::vector<std::string> addresses;  // address/prefix; "dhcp" for IPv4
  std::vector<std::string> gateways;   // one a family
  std::vector<std::string> resolvers;
  std::uint32_t mtu = 0;               // 0: as it is
  std::uint16_t vlan = 0;              // 0: untagged
  std::uint32_t confirm_within = 120;  // seconds; else all goes back

  bool uses_dhcp() const;
  std::string device() const;  // what has the addresses: eth0, eth0.5
  // The same network, however long its trial is.
  bool is_same_network(const ManagementWish& other) const;
  friend bool operator==(const ManagementWish&, const ManagementWish&) = default;
};

// Of the object under "management"; what is wrong is refused with its place.
ManagementWish read_management(JsonReader& at);
nlohmann::json management_json(const ManagementWish& wish);

}  // namespace beaconry
