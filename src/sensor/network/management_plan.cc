#include "sensor/network/management_plan.h"

#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <set>

#include "sensor/network/links.h"
#include "sensor/network/netlink.h"

namespace beaconry {
namespace {

constexpr const char* kOurAlias = "beaconry:management";  // of a VLAN's interface that we made

bool is_v4(const KernelRecord& record) {
  return !record.fixed.empty() && record.fixed.front() == AF_INET;  // both begin with the family
}

// The VLAN's interface, made where it is not there. One of the administrator's is used as it is.
Result<void> make_vlan(Links& links, const ManagementWish& wish) {
  if (wish.vlan == 0) return {};
  const auto is = links.find(wish.device()), parent = links.find(wish.interface);
  if (!is || !parent) return tl::unexpected<Error>((is ? parent : is).error());
  if (*is || !*parent) return {};
  if (auto done = links.add_vlan(wish.device(), (*parent)->index, wish.vlan); !done) return done;
  const auto made = links.find(wish.device());
  if (!made || !*made) return fail(ErrorKind::io, "make", wish.device(), "it went at once");
  return links.set_alias((*made)->index, kOurAlias);
}

Result<void> require(Links& links, const std::string& name) {
  const auto link = links.find(name);
  if (!link) return tl::unexpected<Error>(link.error());
  if (*link) return {};
  return fail(ErrorKind::not_found, "set up", "interface " + name, "it is not there");
}

// What is wished for, without what is kept of before.
NetworkState plan_of(const ManagementWish& wish, const DhcpNews& lease) {
  NetworkState plan;
  InterfaceState device;
  device.name = wish.device();
  device.there = device.up = true;
  device.mtu = wish.mtu;
  if (wish.vlan != 0) {
    InterfaceState below = device;
    below.name = wish.interface;
    plan.interfaces.push_back(std::move(below));
  }
  const auto add = [&](const Prefix& prefix) {
    device.addresses.push_back(KernelRecord::address(device.name, prefix));
  };
  for (const std::string& one : wish.addresses) {
    if (const auto prefix = Prefix::parse(one)) add(*prefix);
  }
  bool v4_gateway = false;
  for (const std::string& one : wish.gateways) {
    const auto gateway = IpAddress::parse(one);
    if (!gateway) continue;
    v4_gateway = v4_gateway || gateway->is_v4();
    // Without an address it would lead nowhere, and take the place of one that does.
    if (!gateway->is_v4() || !wish.uses_dhcp() || lease.has_lease())
      plan.routes.push_back(KernelRecord::default_route(device.name, *gateway));
  }
  if (wish.uses_dhcp() && lease.has_lease()) {
    add(*lease.address);
    if (lease.router && !v4_gateway)
      plan.routes.push_back(KernelRecord::default_route(device.name, *lease.router));
  }
  plan.interfaces.push_back(std::move(device));
  return plan;
}

std::vector<Link> all_links() {
  auto links = Links::open();
  if (!links) return {};
  auto all = links->list();
  return all ? std::move(*all) : std::vector<Link>{};
}

// Those below it, too.
std::vector<std::string> with_lower(const std::set<int>& indices) {
  const std::vector<Link> links = all_links();
  std::set<int> known;
  std::vector<int> left(indices.begin(), indices.end());
  std::vector<std::string> names;
  while (!left.empty()) {
    const int index = left.back();
    left.pop_back();
    if (index == 0 || !known.insert(index).second) continue;
    for (const Link& one : links) {
      if (one.master == index) left.push_back(one.index);
      if (one.index != index) continue;
      names.push_back(one.name);
      // A veth's other end may be in another namespace, where the number is another's.
      if (one.kind == "vlan" || one.kind == "macvlan" || one.kind == "ipvlan")
        left.push_back(one.lower);
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

std::vector<std::string> interfaces_of(const ManagementWish& wish) {
  if (wish.vlan == 0) return {wish.interface};
  return {wish.interface, wish.device()};
}

Result<void> apply_management(const ManagementWish& wish, const DhcpNews& lease, bool keep_v4,
                              const std::vector<std::string>& others) {
  auto links = Links::open();
  if (!links) return tl::unexpected<Error>(links.error());
  if (auto done = require(*links, wish.interface); !done) return done;
  if (auto done = make_vlan(*links, wish); !done) return done;
  NetworkState plan = plan_of(wish, lease);
  const auto own = interfaces_of(wish);
  for (const std::string& name : others) {
    if (std::find(own.begin(), own.end(), name) != own.end()) continue;
    const auto link = links->find(name);
    if (!link || !*link) continue;
    InterfaceState cleared;
    cleared.name = name;
    cleared.there = (*link)->alias != kOurAlias;
    cleared.up = (*link)->up;
    plan.interfaces.push_back(std::move(cleared));
  }
  if (keep_v4 && wish.uses_dhcp() && !lease.has_lease()) {
    const auto is = NetworkState::read({wish.device()});
    if (!is) return tl::unexpected<Error>(is.error());
    for (InterfaceState& one : plan.interfaces) {
      if (one.name != wish.device()) continue;
      for (const KernelRecord& had : is->interfaces.front().addresses) {
        if (is_v4(had)) one.addresses.push_back(had);
      }
    }
    for (const KernelRecord& had : is->routes) {
      if (had.device == wish.device() && is_v4(had)) plan.routes.push_back(had);
    }
  }
  if (auto done = plan.enforce(); !done) return done;
  for (const KernelRecord& route : plan.routes) {
    if (auto done = give_way_to(wish.device(), is_v4(route)); !done) return done;
  }
  return {};
}

Result<void> check_management(const ManagementWish& wish, const DhcpNews& lease) {
  const auto is = NetworkState::read(interfaces_of(wish));
  if (!is) return tl::unexpected<Error>(is.error());
  const std::string lost = plan_of(wish, lease).lost_in(*is);
  if (lost.empty()) return {};
  return fail(ErrorKind::io, "look at", "interface " + wish.device(), lost);
}

std::vector<std::string> interfaces_towards(const IpAddress& address,
                                            const std::optional<IpAddress>& from) {
  auto socket = NetlinkSocket::open(NETLINK_ROUTE);
  if (!socket) return {};
  NetlinkMessage message(RTM_GETROUTE, NLM_F_ACK);
  rtmsg fixed{};
  fixed.rtm_family = address.is_v4() ? AF_INET : AF_INET6;
  fixed.rtm_dst_len = address.is_v4() ? 32 : 128;
  if (from) fixed.rtm_src_len = fixed.rtm_dst_len;
  message.append(fixed);
  message.put(RTA_DST, netlink_address(address));
  if (from) message.put(RTA_SRC, netlink_address(*from));
  std::set<int> found;
  // One that leads nowhere leads by none.
  (void)socket->ask(message, "look for", "a route", [&](const nlmsghdr& header, const char* body) {
    if (header.nlmsg_type != RTM_NEWROUTE) return;
    for_attributes({body + NLMSG_ALIGN(sizeof fixed), NLMSG_PAYLOAD(&header, sizeof fixed)},
                   [&](std::uint16_t type, std::string_view value) {
                     if (type == RTA_OIF) found.insert(netlink_value<int>(value));
                   });
  });
  return with_lower(found);
}

std::vector<std::string> interfaces_of_default_routes() {
  const auto state = NetworkState::read({});
  if (!state) return {};
  std::set<int> found;
  for (const Link& one : all_links()) {
    for (const KernelRecord& route : state->routes) {
      if (route.device == one.name) found.insert(one.index);
    }
  }
  return with_lower(found);
}

}  // namespace beaconry
