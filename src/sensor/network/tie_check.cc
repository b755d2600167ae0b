#include "sensor/network/tie_check.h"

#include <algorithm>
#include <string>

#include "base/ip_address.h"
#include "base/text.h"
#include "sensor/network/prefix.h"

namespace beaconry {
namespace {

using Kind = InterfaceWish::Kind;

tl::unexpected<Error> refuse(const std::string& why) {
  return fail(ErrorKind::malformed, "", "", why);
}

Result<void> check_addresses(const InterfaceWish& wish, Direction contract) {
  const bool has_address = !wish.address.empty() && wish.address != "none";
  if (wish.address == "dhcp" && contract != Direction::both)
    return refuse("DHCP sends and receives, and the contract does not allow both; set an address");
  if (wish.kind == Kind::mirror && has_address)
    return refuse("a mirror's interface has no address: leave it at none");
  if (has_address && wish.address != "dhcp" && !Prefix::parse(wish.address))
    return refuse("address " + terminal_safe(wish.address) +
                  " is neither none, dhcp nor an address with its prefix, such as 192.0.2.7/24");
  if (!wish.gateway.empty() && !IpAddress::parse(wish.gateway))
    return refuse("gateway " + terminal_safe(wish.gateway) + " is no address");
  for (const std::string& one : wish.resolvers) {
    if (!IpAddress::parse(one)) return refuse("resolver " + terminal_safe(one) + " is no address");
  }
  return {};
}

}  // namespace

bool is_interface_name(const std::string& name) {
  return !name.empty() && name.size() <= 15 && name != "." && name != ".." &&
         std::all_of(name.begin(), name.end(), [](char one) {
           return one > ' ' && one < 127 && one != '/' && one != '"' && one != '\\' && one != ':';
         });
}

Result<void> check_tie(const InterfaceWish& wish, const Manifest::Interface& interface,
                       const Manifest& manifest) {
  if (!is_interface_name(wish.name)) return refuse("its name is no interface's name");
  if (wish.parent.empty()) return refuse("it names no parent: what it is tied to");
  if (!is_interface_name(wish.parent))
    return refuse("'" + terminal_safe(wish.parent) + "' is no interface's name");
  if (wish.parent.starts_with("bcy"))
    return refuse(wish.parent + " is an instrument's own interface: a loop could come of it; tie " +
                  "it to what lies behind");
  if (wish.kind == Kind::physical && wish.parent == "lo") return refuse("lo cannot be moved");
  if (wish.kind == Kind::mirror && interface.contract != Direction::receive)
    return refuse(std::string("a mirror gives copies and can send nothing, and the contract is ") +
                  (interface.contract == Direction::both ? "both" : "tx") +
                  ": use bridge, macvlan or physical");
  const bool moved = wish.kind == Kind::physical || wish.kind == Kind::macvlan;
  const auto& rights = manifest.capabilities;
  if (moved && interface.contract != Direction::both &&
      std::find(rights.begin(), rights.end(), "net_admin") != rights.end())
    return refuse(
        "the instrument has net_admin and could remove the rules of its contract, which stand in "
        "its namespace: tie it by bridge or mirror, or let the contract be both");
  return check_addresses(wish, interface.contract);
}

Result<void> check_way(const InterfaceWish& wish, const std::vector<std::string>& reserved) {
  const bool takes = wish.kind == Kind::physical || wish.kind == Kind::macvlan;
  if (!takes || std::find(reserved.begin(), reserved.end(), wish.parent) == reserved.end())
    return {};
  return fail(ErrorKind::usage, "tie", "interface " + terminal_safe(wish.name),
              terminal_safe(wish.parent) +
                  " is the sensor's way to its server, and no instrument's: use another interface");
}

}  // namespace beaconry
