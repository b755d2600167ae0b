#include "escape/targets.h"

#include <algorithm>
#include <set>

namespace beaconry {
namespace {

constexpr std::uint64_t kAllPorts = 65'535;
constexpr std::uint16_t kFewPorts[] = {53, 80, 123, 443};

}  // namespace

std::vector<IpAddress> reachable_homes(const Scope& scope) {
  std::vector<IpAddress> homes;
  if (const auto v4 = scope.home_v4()) homes.push_back(*v4);
  if (const auto v6 = scope.home_v6()) homes.push_back(*v6);
  return homes;
}

std::optional<IpAddress> home_address(const Scope& scope, bool v4) {
  for (const IpAddress& address : scope.config.home.addresses) {
    if (address.is_v4() == v4) return address;
  }
  return std::nullopt;
}

std::span<const std::uint16_t> few_ports() {
  return kFewPorts;
}

PortGrid::PortGrid(const Scope& scope, Ports ports, std::span<const std::uint8_t> variants)
    : homes_(reachable_homes(scope)), variants_(variants) {
  if (ports == Ports::few) ports_ = few_ports();
  if (ports == Ports::common) ports_ = scope.common_ports();
  ports_each_ = ports == Ports::all ? kAllPorts : ports_.size();
  variants_each_ = std::max<std::uint64_t>(1, variants_.size());
}

Target PortGrid::at(std::uint64_t index) const {
  if (count() == 0) return {};
  index %= count();
  Target target;
  if (!variants_.empty()) target.variant = variants_[index % variants_each_];
  const std::uint64_t port = index / variants_each_ % ports_each_;
  target.port = ports_.empty() ? static_cast<std::uint16_t>(port + 1) : ports_[port];
  target.destination = homes_[index / variants_each_ / ports_each_];
  return target;
}

std::vector<IpAddress> hosts_of_family(const Scope& scope, bool v4, bool with_gateways) {
  std::vector<IpAddress> hosts;
  const auto add = [&](const IpAddress& address) {
    if (address.is_v4() == v4 && (v4 || !address.is_link_local())) hosts.push_back(address);
  };
  if (with_gateways) {
    for (const IpAddress& gateway : scope.segment.gateways())
      add(gateway);
  }
  for (const Segment::Neighbour& neighbour : scope.allowed_neighbours())
    add(neighbour.address);
  return hosts;
}

std::vector<IpAddress> other_gateways(const Scope& scope, bool v4) {
  std::vector<IpAddress> others;
  bool usual = true;
  for (const IpAddress& gateway : scope.segment.gateways()) {
    if (gateway.is_v4() != v4) continue;
    if (!usual) others.push_back(gateway);
    usual = false;
  }
  return others;
}

std::vector<IpAddress> possible_routers(const Scope& scope, bool v4, bool of_either_family) {
  std::set<MacAddress> known;
  for (const IpAddress& gateway : scope.segment.gateways()) {
    const auto mac = scope.segment.mac_of(gateway);
    if (gateway.is_v4() == v4 && mac) known.insert(*mac);
  }
  std::vector<IpAddress> routers;
  const std::vector<Segment::Neighbour> neighbours = scope.allowed_neighbours();
  for (const bool same_family : {true, false}) {
    if (!same_family && !of_either_family) break;
    for (const Segment::Neighbour& neighbour : neighbours) {
      if ((neighbour.address.is_v4() == v4) == same_family && known.insert(neighbour.mac).second) {
        routers.push_back(neighbour.address);
      }
    }
  }
  return routers;
}

Target pick(const std::vector<Target>& targets, std::uint64_t index) {
  return targets.empty() ? Target{} : targets[index % targets.size()];
}

}  // namespace beaconry
