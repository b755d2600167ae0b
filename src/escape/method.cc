#include "escape/method.h"

#include <algorithm>

namespace beaconry {
namespace {

// What networks let out most often, by what the rivals and our own measurements report.
constexpr std::uint16_t kUsualPorts[] = {
    21,   22,   25,   53,   67,   80,   110,  123,  137,  143,  161,  389,  443,  445,
    465,  500,  514,  587,  853,  993,  995,  1194, 1433, 1723, 1883, 3128, 3306, 3389,
    3478, 4500, 5060, 5222, 5353, 5671, 5900, 6881, 8000, 8080, 8443, 8883, 9001, 9100};

std::optional<IpAddress> home_of(const Scope& scope, bool v4) {
  for (const IpAddress& address : scope.config.home.addresses) {
    if (address.is_v4() == v4 && scope.segment.own_for(address)) return address;
  }
  return std::nullopt;
}

}  // namespace

std::string_view to_string(Risk risk) {
  switch (risk) {
    case Risk::none:
      return "none";
    case Risk::low:
      return "low";
    case Risk::medium:
      return "medium";
    case Risk::high:
      return "high";
  }
  return "unknown";
}

std::optional<IpAddress> Scope::home_v4() const {
  return home_of(*this, true);
}

std::optional<IpAddress> Scope::home_v6() const {
  return home_of(*this, false);
}

std::span<const std::uint16_t> Scope::common_ports() const {
  if (!config.ports.empty()) return config.ports;
  return kUsualPorts;
}

std::vector<Segment::Neighbour> Scope::allowed_neighbours() const {
  std::vector<Segment::Neighbour> allowed;
  const auto holds = [](const auto& list, const IpAddress& address) {
    return std::find(list.begin(), list.end(), address) != list.end();
  };
  for (const Segment::Neighbour& neighbour : segment.neighbours()) {
    if (segment.is_own(neighbour.address) || holds(segment.gateways(), neighbour.address)) continue;
    if (config.profile == Profile::ot && !holds(config.neighbours, neighbour.address)) continue;
    allowed.push_back(neighbour);
  }
  return allowed;
}

const Method* find_method(MethodId id) {
  for (const Method* method : methods_table()) {
    if (method->id == id) return method;
  }
  return nullptr;
}

}  // namespace beaconry
