#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "sensor/management_wish.h"
#include "sensor/network/dhcp.h"
#include "sensor/network/interface_state.h"

namespace beaconry {

// Interfaces that a wish is about: its own, and the VLAN's on it.
std::vector<std::string> interfaces_of(const ManagementWish& wish);

// Sets what is wished, and what a lease gives to it. Before there is one, `keep_v4` leaves what the
// interface has of IPv4: of a lease before. `others`: interfaces that had it before, which are
// cleared.
Result<void> apply_management(const ManagementWish& wish, const DhcpNews& lease, bool keep_v4,
                              const std::vector<std::string>& others);
// Whether all of it is there that apply_management() set.
Result<void> check_management(const ManagementWish& wish, const DhcpNews& lease);

// Interfaces by which the machine reaches an address; also those below: a VLAN's, a bridge's ports.
// With `from`, of packets that have this address of the machine's.
std::vector<std::string> interfaces_towards(const IpAddress& address,
                                            const std::optional<IpAddress>& from = {});
// The same of its default routes, for a server that is known by name alone.
std::vector<std::string> interfaces_of_default_routes();

}  // namespace beaconry
