#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "sensor/network/netlink.h"

namespace beaconry {

// Packets that a contract dropped.
struct ContractCounts {
  std::uint64_t refused_sent = 0;      // that the instrument tried to send
  std::uint64_t refused_received = 0;  // for it
  std::uint64_t chatter = 0;           // the kernel's own IPv6 words, before they were turned off
};

// The rules of one interface of an instance: a table of nftables' family netdev.
struct ContractRules {
  std::string table, device;
  // Seen from the device: of a host's end of a veth pair, what comes in is the instrument's; of an
  // interface that was moved in, what goes out is.
  bool inside = false;
  bool drop_sent = false, drop_received = false;
  ContractCounts counts;  // to count on from
  std::string text() const;
};
// Copies all that comes and goes at `captured` to `device`.
std::string mirror_rules(const std::string& table, const std::string& captured,
                         const std::string& device);
std::string no_rules(const std::string& table);
// From now on the kernel's chatter is none: an attempt like every other.
std::string end_of_chatter(const std::string& table);

// What is in force in the namespace of a NETLINK_NETFILTER socket (cheap: no child process).
Result<std::vector<std::string>> list_tables(NetlinkSocket& filter);  // of the family netdev
Result<ContractCounts> read_counts(NetlinkSocket& filter, const std::string& table);

}  // namespace beaconry
