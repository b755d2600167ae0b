#include "sensor/management_wish.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/ip_address.h"
#include "base/text.h"
#include "sensor/network/prefix.h"
#include "sensor/network/tie_check.h"

namespace beaconry {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMostAddresses = 8, kMostResolvers = 8, kLongestAddress = 64;
constexpr std::size_t kLongestName = 15;  // IFNAMSIZ - 1
constexpr std::uint64_t kLeastMtu = 1'280, kMostMtu = 65'535, kMostVlan = 4'094;
constexpr std::uint64_t kShortestTrial = 10, kLongestTrial = 3'600;
constexpr std::string_view kDhcp = "dhcp";

// One as a text, or several as a list.
std::vector<std::string> read_texts(JsonReader& at, const char* key, std::size_t most) {
  const Json* value = at.take(key);
  if (value != nullptr && value->is_array()) return at.texts(key, most, kLongestAddress);
  std::string one = at.text(key, kLongestAddress);
  if (one.empty()) return {};
  return {std::move(one)};
}

Json texts_json(const std::vector<std::string>& texts) {
  if (texts.size() == 1) return texts.front();
  return texts;
}

void check_addresses(JsonReader& at, const ManagementWish& wish) {
  if (wish.addresses.empty())
    at.refuse("address", "is missing: 'dhcp', or an address with its prefix, such as 10.0.0.5/24");
  bool dhcp = false, v4 = false;
  for (const std::string& one : wish.addresses) {
    if (one == kDhcp) {
      if (dhcp) at.refuse("address", "has 'dhcp' twice");
      dhcp = true;
      continue;
    }
    const auto prefix = Prefix::parse(one);
    if (!prefix || prefix->address.is_unspecified() || prefix->address.is_multicast() ||
        prefix->address.is_loopback()) {
      at.refuse("address", "has '" + terminal_safe(one) +
                               "': neither 'dhcp' nor a machine's address with its prefix, such as "
                               "10.0.0.5/24");
      return;
    }
    v4 = v4 || prefix->address.is_v4();
  }
  if (dhcp && v4) at.refuse("address", "has 'dhcp', which gives the IPv4 address, and another");
}

void check_gateways(JsonReader& at, const ManagementWish& wish) {
  const auto has = [&](bool v4) {
    return std::any_of(wish.addresses.begin(), wish.addresses.end(), [&](const std::string& one) {
      const auto prefix = Prefix::parse(one);
      return prefix ? prefix->address.is_v4() == v4 : v4;
    });
  };
  bool seen[2] = {false, false};
  for (const std::string& one : wish.gateways) {
    const auto gateway = IpAddress::parse(one);
    if (!gateway || gateway->is_unspecified() || gateway->is_multicast()) {
      at.refuse("gateway", "has '" + terminal_safe(one) + "', which is no address of a machine");
      return;
    }
    const bool v4 = gateway->is_v4();
    if (!has(v4)) {
      at.refuse("gateway", "has " + one + ", and 'address' none of " + (v4 ? "IPv4" : "IPv6"));
    }
    if (seen[v4 ? 0 : 1]) at.refuse("gateway", "has two of one family");
    seen[v4 ? 0 : 1] = true;
  }
}

}  // namespace

bool ManagementWish::uses_dhcp() const {
  return std::find(addresses.begin(), addresses.end(), kDhcp) != addresses.end();
}

std::string ManagementWish::device() const {
  return vlan == 0 ? interface : interface + '.' + std::to_string(vlan);
}

bool ManagementWish::is_same_network(const ManagementWish& other) const {
  ManagementWish same = other;
  same.confirm_within = confirm_within;
  return *this == same;
}

ManagementWish read_management(JsonReader& at) {
  ManagementWish wish;
  wish.interface = at.text("interface", kLongestName);
  wish.addresses = read_texts(at, "address", kMostAddresses);
  wish.gateways = read_texts(at, "gateway", 2);
  wish.resolvers = at.texts("resolvers", kMostResolvers, kLongestAddress);
  wish.mtu = static_cast<std::uint32_t>(at.count("mtu", 0, 0, kMostMtu));
  wish.vlan = static_cast<std::uint16_t>(at.count("vlan", 0, 0, kMostVlan));
  wish.confirm_within = static_cast<std::uint32_t>(
      at.count("confirm_within", wish.confirm_within, kShortestTrial, kLongestTrial));
  at.done();
  if (wish.interface.empty()) {
    at.refuse("interface", "is missing: an interface of the machine, such as eth0");
  } else if (!is_interface_name(wish.interface) || wish.interface == "lo" ||
             wish.interface.starts_with("bcy")) {
    at.refuse("interface", "is none that leads to a server");
  }
  if (wish.device().size() > kLongestName)
    at.refuse("vlan", "makes the name " + wish.device() + ", which is too long for an interface");
  if (wish.mtu != 0 && wish.mtu < kLeastMtu)
    at.refuse("mtu", "is less than " + std::to_string(kLeastMtu) + ", which IPv6 needs");
  check_addresses(at, wish);
  check_gateways(at, wish);
  for (const std::string& one : wish.resolvers) {
    if (!IpAddress::parse(one))
      at.refuse("resolvers", "has '" + terminal_safe(one) + "', which is no address");
  }
  return wish;
}

Json management_json(const ManagementWish& wish) {
  Json json = {{"interface", wish.interface},
               {"address", texts_json(wish.addresses)},
               {"confirm_within", wish.confirm_within}};
  if (!wish.gateways.empty()) json["gateway"] = texts_json(wish.gateways);
  if (!wish.resolvers.empty()) json["resolvers"] = wish.resolvers;
  if (wish.mtu != 0) json["mtu"] = wish.mtu;
  if (wish.vlan != 0) json["vlan"] = wish.vlan;
  return json;
}

}  // namespace beaconry
