#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "escape/method.h"

namespace beaconry {

// What methods' lists of targets are made of. The segment may have changed between counting and
// asking: an index past the end gives the target of another one, and of none an empty target, which
// every method's run() sends nothing for.

// Home's addresses that we have an address to speak from for: IPv4 first.
std::vector<IpAddress> reachable_homes(const Scope& scope);
// Home's first address of the family, whether or not we have one: for sources that are not ours.
std::optional<IpAddress> home_address(const Scope& scope, bool v4);

// Ports that most filters treat in their own way: of methods with much else to try.
std::span<const std::uint16_t> few_ports();

// Home's addresses times ports times variants, counted from 0, variants fastest.
class PortGrid {
 public:
  enum class Ports : std::uint8_t { few, common, all };
  PortGrid(const Scope& scope, Ports ports, std::span<const std::uint8_t> variants = {});
  std::uint64_t count() const { return homes_.size() * ports_each_ * variants_each_; }
  Target at(std::uint64_t index) const;

 private:
  std::vector<IpAddress> homes_;
  std::span<const std::uint16_t> ports_;  // empty: 1 to 65,535
  std::span<const std::uint8_t> variants_;
  std::uint64_t ports_each_, variants_each_;
};

// Hosts that may be sent to. IPv6's link-local addresses are left out: what answers from one of
// those cannot leave the segment.
std::vector<IpAddress> hosts_of_family(const Scope& scope, bool v4, bool with_gateways);
// Gateways of the family but the first, through which everything goes anyway: second ones, and
// routers that advertised themselves whether or not anybody meant them to.
std::vector<IpAddress> other_gateways(const Scope& scope, bool v4);
// Neighbours that might forward packets of the family: each Ethernet address that is none of its
// gateways' once, by an address of the family or, if wanted, where it has none, of the other.
std::vector<IpAddress> possible_routers(const Scope& scope, bool v4, bool of_either_family);

// For methods whose targets are few enough to be listed whenever one is asked for.
Target pick(const std::vector<Target>& targets, std::uint64_t index);

// The words for an empty list.
constexpr const char* kNoFamily = "no address of ours in home's family";
constexpr const char* kNoNeighbour = "no neighbour is known that may be sent to";

}  // namespace beaconry
