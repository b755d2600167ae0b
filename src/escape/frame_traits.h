#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/ip_address.h"
#include "packet/craft.h"

namespace beaconry {

// What a try's frames need to be allowed.
enum Trait : std::uint32_t {
  kSpoofed = 1,    // a source address that is not ours
  kMalformed = 2,  // headers that no host sends
  kFragmented = 4,
  kSourceRouted = 8,
  kBroadcast = 16,    // to all hosts, or to a group
  kToNeighbour = 32,  // to a host that is neither gateway nor resolver nor home
  kToUnnamed = 64,    // to a place beyond the link that nobody approved
};
// "spoofed", "to a neighbour": the first that is set.
std::string_view trait_word(std::uint32_t traits);

// What a frame itself shows, whatever the method said of it.
struct FrameTraits {
  std::uint32_t traits = 0;  // without kToNeighbour and kToUnnamed, which need to know who is who
  bool to_all = false;       // group MAC or IP address: counts as a broadcast
  // ARP, neighbour discovery and DHCP as a host sends them for itself: every profile allows it.
  bool housekeeping = false;
  MacAddress destination, source;
  bool is_ip = false;
  IpAddress ip_destination;  // where is_ip
  // Every address that stands in it: senders, targets, hops of a source route. Unset ones are left
  // out.
  std::vector<IpAddress> addresses;
};

// `own`: addresses that are ours. `networks`: whose last address is a broadcast.
FrameTraits inspect_frame(ByteView frame, const MacAddress& ours, const std::vector<IpAddress>& own,
                          const std::vector<Cidr>& networks);

}  // namespace beaconry
