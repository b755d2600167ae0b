#pragma once
#include "packet/craft.h"

namespace beaconry {

// Housekeeping frames: what a host asks and says on its link for itself.

// Who has this address? ARP, or a neighbour solicitation. `own` unset: a probe (RFC 5227) or
// duplicate address detection (RFC 4862), which claims nothing.
Bytes ask_for_mac(const MacAddress& ours, const IpAddress& own, const IpAddress& target);
// "It is mine", to whom asked; `to` unset: to all.
Bytes neighbour_advertisement(const MacAddress& ours, const IpAddress& own,
                              const MacAddress& to_mac, const IpAddress& to);
Bytes router_solicitation(const MacAddress& ours);

}  // namespace beaconry
