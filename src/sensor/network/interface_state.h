#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/ip_address.h"
#include "base/result.h"
#include "sensor/network/prefix.h"

namespace beaconry {

// An address or a route as the kernel tells it, to be given back to it whole.
struct KernelRecord {
  std::string device;  // by name: numbers change
  std::string fixed;   // ifaddrmsg, rtmsg
  std::map<std::uint16_t, std::string> attributes;

  static KernelRecord address(const std::string& device, const Prefix& prefix);
  // A default route that comes before those of other programs: of kOurMetric.
  static KernelRecord default_route(const std::string& device, const IpAddress& gateway);
};
constexpr std::uint32_t kOurMetric = 10;

struct InterfaceState {
  std::string name;
  bool there = false, up = false;
  std::uint32_t mtu = 0;
  std::vector<KernelRecord> addresses;
};

// What some interfaces of the machine have, or shall have. What routers advertise by IPv6 is the
// kernel's own affair and no part of it, neither are link-local addresses of IPv6.
struct NetworkState {
  std::vector<InterfaceState> interfaces;
  std::vector<KernelRecord> routes;  // of the main table: theirs, and all default ones

  static Result<NetworkState> read(const std::vector<std::string>& interfaces);
  // Makes it so on these interfaces, and adds default routes of others that are missing. Goes as
  // far as it can; the first error is returned. A VLAN's interface that is not to be there is
  // removed.
  Result<void> enforce() const;
  // What of it is not so in `is`, in words; empty: all of it is.
  std::string lost_in(const NetworkState& is) const;

  nlohmann::json to_json() const;
  static std::optional<NetworkState> from_json(const nlohmann::json& json);
};

// Takes away default routes by other interfaces that would come before `device`'s, of the family.
Result<void> give_way_to(const std::string& device, bool v4);

}  // namespace beaconry
