#include "sensor/network/interface_state.h"

#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "sensor/network/links.h"
#include "sensor/network/netlink.h"

namespace beaconry {
namespace {

template <class Value>
std::string bytes_of(const Value& value) {
  return std::string(reinterpret_cast<const char*>(&value), sizeof value);
}
std::uint8_t family_of(const IpAddress& address) {
  return address.is_v4() ? AF_INET : AF_INET6;
}
std::string attribute(const KernelRecord& record, std::uint16_t type) {
  const auto found = record.attributes.find(type);
  return found == record.attributes.end() ? std::string() : found->second;
}

// Two that the kernel takes for the same have the same.
std::string address_key(const KernelRecord& one) {
  const auto fixed = netlink_value<ifaddrmsg>(one.fixed);
  const std::string address = attribute(one, IFA_ADDRESS), local = attribute(one, IFA_LOCAL);
  return one.device + '/' + std::to_string(fixed.ifa_family) + '/' +
         std::to_string(fixed.ifa_prefixlen) + '/' + (local.empty() ? address : local) +
         (address.empty() ? local : address);
}
std::string route_key(const KernelRecord& one) {
  const auto fixed = netlink_value<rtmsg>(one.fixed);
  std::string key = one.device + '/' + std::to_string(fixed.rtm_family) + '/' +
                    std::to_string(fixed.rtm_dst_len) + '/' + std::to_string(fixed.rtm_src_len) +
                    '/' + std::to_string(fixed.rtm_tos);
  for (const std::uint16_t type :
       {RTA_DST, RTA_SRC, RTA_PRIORITY, RTA_GATEWAY, RTA_VIA, RTA_PREFSRC, RTA_MULTIPATH})
    key += '/' + attribute(one, type);
  return key;
}
bool is_default(const KernelRecord& route) {
  const auto fixed = netlink_value<rtmsg>(route.fixed);
  return fixed.rtm_dst_len == 0 && fixed.rtm_src_len == 0;
}

// The network as it is, by one socket.
class Kernel {
 public:
  static Result<Kernel> open() {
    auto socket = NetlinkSocket::open(NETLINK_ROUTE);
    auto links = Links::open();
    if (!socket || !links) return tl::unexpected<Error>((socket ? links.error() : socket.error()));
    Kernel made;
    made.socket_ = std::move(*socket);
    made.links = std::move(*links);
    return made;
  }

  Result<void> look() {
    auto found = links.list();
    if (!found) return tl::unexpected<Error>(found.error());
    list_ = std::move(*found);
    return {};
  }
  const Link* find(const std::string& name) const {
    const auto at =
        std::find_if(list_.begin(), list_.end(), [&](const Link& one) { return one.name == name; });
    return at == list_.end() ? nullptr : &*at;
  }
  std::string name_of(int index) const {
    const auto at = std::find_if(list_.begin(), list_.end(),
                                 [&](const Link& one) { return one.index == index; });
    return at == list_.end() ? std::string() : at->name;
  }

  Result<std::vector<KernelRecord>> addresses(const std::string& device) {
    NetlinkMessage message(RTM_GETADDR, NLM_F_DUMP);
    message.append(ifaddrmsg{});
    std::vector<KernelRecord> found;
    auto done =
        socket_.ask(message, "list", "addresses", [&](const nlmsghdr& header, const char* body) {
          const auto fixed = netlink_value<ifaddrmsg>({body, sizeof(ifaddrmsg)});
          if (header.nlmsg_type != RTM_NEWADDR ||
              name_of(static_cast<int>(fixed.ifa_index)) != device)
            return;
          KernelRecord one{device, bytes_of(fixed), {}};
          for_attributes(
              {body + NLMSG_ALIGN(sizeof fixed), NLMSG_PAYLOAD(&header, sizeof fixed)},
              [&](std::uint16_t type, std::string_view value) { one.attributes[type] = value; });
          const bool of_kernel =
              fixed.ifa_family == AF_INET6 &&
              (fixed.ifa_scope == RT_SCOPE_LINK || (fixed.ifa_flags & IFA_F_PERMANENT) == 0);
          if (!of_kernel) found.push_back(std::move(one));
        });
    if (!done) return tl::unexpected<Error>(done.error());
    return found;
  }

  Result<std::vector<KernelRecord>> routes(const std::set<std::string>& devices) {
    std::vector<KernelRecord> found;
    for (const std::uint8_t family : {std::uint8_t{AF_INET}, std::uint8_t{AF_INET6}}) {
      NetlinkMessage message(RTM_GETROUTE, NLM_F_DUMP);
      rtmsg all{};
      all.rtm_family = family;
      message.append(all);
      auto done =
          socket_.ask(message, "list", "routes", [&](const nlmsghdr& header, const char* body) {
            if (header.nlmsg_type != RTM_NEWROUTE) return;
            auto one = route_of(body, NLMSG_PAYLOAD(&header, sizeof(rtmsg)));
            if (one && (devices.count(one->device) != 0 || is_default(*one)))
              found.push_back(std::move(*one));
          });
      // A kernel without IPv6 has no routes of it.
      if (!done && family == AF_INET) return tl::unexpected<Error>(done.error());
    }
    return found;
  }

  Result<void> change_address(const KernelRecord& one, bool add) {
    const Link* link = find(one.device);
    if (link == nullptr) return fail(ErrorKind::not_found, "set", one.device, "it is not there");
    auto fixed = netlink_value<ifaddrmsg>(one.fixed);
    fixed.ifa_index = static_cast<unsigned>(link->index);
    NetlinkMessage message(
        add ? RTM_NEWADDR : RTM_DELADDR,
        static_cast<std::uint16_t>(NLM_F_ACK | (add ? NLM_F_CREATE | NLM_F_REPLACE : 0)));
    message.append(fixed);
    for (const auto& [type, value] : one.attributes) {
      if (!add && type != IFA_LOCAL && type != IFA_ADDRESS) continue;
      // It is known to be nobody else's: it holds at once.
      if (type == IFA_FLAGS && fixed.ifa_family == AF_INET6) {
        message.put_number(type, netlink_value<std::uint32_t>(value) | IFA_F_NODAD);
      } else {
        message.put(type, value);
      }
    }
    auto done = socket_.change(message, add ? "set" : "remove", "an address of " + one.device);
    const int error = socket_.error();
    if (!done && error == EACCES && fixed.ifa_family == AF_INET6)
      done.error().cause += ": IPv6 is off on it (net.ipv6.conf." + one.device + ".disable_ipv6)";
    // Others of its network go with an interface's first address.
    return !add && error == EADDRNOTAVAIL ? Result<void>() : done;
  }

  Result<void> change_route(const KernelRecord& one, bool add) {
    NetlinkMessage message(add ? RTM_NEWROUTE : RTM_DELROUTE,
                           static_cast<std::uint16_t>(NLM_F_ACK | (add ? NLM_F_CREATE : 0)));
    message.append(netlink_value<rtmsg>(one.fixed));
    for (const auto& [type, value] : one.attributes)
      message.put(type, value);
    if (!one.device.empty()) {
      const Link* link = find(one.device);
      if (link == nullptr)
        return fail(ErrorKind::not_found, "set", "a route by " + one.device, "it is not there");
      message.put_number(RTA_OIF, link->index);
    }
    auto done = socket_.change(message, add ? "set" : "remove", "a route by " + one.device);
    return socket_.error() == (add ? EEXIST : ESRCH) ? Result<void>() : done;
  }

  Links links;

 private:
  std::optional<KernelRecord> route_of(const char* body, std::size_t size) const {
    auto fixed = netlink_value<rtmsg>({body, sizeof(rtmsg)});
    if (fixed.rtm_type != RTN_UNICAST || (fixed.rtm_flags & RTM_F_CLONED) != 0 ||
        fixed.rtm_protocol == RTPROT_KERNEL || fixed.rtm_protocol == RTPROT_RA ||
        fixed.rtm_protocol == RTPROT_REDIRECT)
      return std::nullopt;
    KernelRecord one;
    std::uint32_t table = fixed.rtm_table;
    for_attributes({body + NLMSG_ALIGN(sizeof fixed), size},
                   [&](std::uint16_t type, std::string_view value) {
                     if (type == RTA_TABLE) table = netlink_value<std::uint32_t>(value);
                     if (type == RTA_OIF) {
                       one.device = name_of(netlink_value<int>(value));
                     } else if (type != RTA_CACHEINFO && type != RTA_EXPIRES && type != RTA_NH_ID) {
                       one.attributes[type] = value;
                     }
                   });
    if (table != RT_TABLE_MAIN) return std::nullopt;
    fixed.rtm_flags &= RTNH_F_ONLINK;  // the rest is how it is now
    one.fixed = bytes_of(fixed);
    return one;
  }

  NetlinkSocket socket_;
  std::vector<Link> list_;
};

void keep_first(Result<void>& kept, Result<void> done) {
  if (kept && !done) kept = std::move(done);
}

// An interface itself: there or not, its MTU, up.
Result<void> shape(Kernel& kernel, const InterfaceState& wanted) {
  const Link* link = kernel.find(wanted.name);
  if (!wanted.there)
    return link != nullptr && link->kind == "vlan" ? kernel.links.remove(wanted.name)
                                                   : Result<void>();
  if (link == nullptr)
    return fail(ErrorKind::not_found, "set up", "interface " + wanted.name, "it is not there");
  Result<void> kept;
  if (wanted.mtu != 0 && link->mtu != wanted.mtu)
    keep_first(kept, kernel.links.set_mtu(link->index, wanted.mtu));
  if (link->up != wanted.up) keep_first(kept, kernel.links.set_up(link->index, wanted.up));
  return kept;
}

Result<void> set_addresses(Kernel& kernel, const InterfaceState& wanted) {
  if (kernel.find(wanted.name) == nullptr) return {};  // was told
  const auto all = kernel.addresses(wanted.name);
  if (!all) return tl::unexpected<Error>(all.error());
  Result<void> kept;
  std::set<std::string> keys;
  for (const KernelRecord& one : wanted.addresses)
    keys.insert(address_key(one));
  for (const KernelRecord& one : *all) {
    if (keys.count(address_key(one)) == 0) keep_first(kept, kernel.change_address(one, false));
  }
  const auto left = kernel.addresses(wanted.name);
  if (!left) return tl::unexpected<Error>(left.error());
  std::set<std::string> had;
  for (const KernelRecord& one : *left)
    had.insert(address_key(one));
  for (const KernelRecord& one : wanted.addresses) {
    if (had.count(address_key(one)) == 0) keep_first(kept, kernel.change_address(one, true));
  }
  return kept;
}

// Some need others to be there first: in rounds, until none helps any more.
Result<void> add_routes(Kernel& kernel, std::vector<KernelRecord> missing) {
  for (;;) {
    Result<void> kept;
    std::vector<KernelRecord> left;
    for (KernelRecord& one : missing) {
      auto done = kernel.change_route(one, true);
      if (done) continue;
      keep_first(kept, std::move(done));
      left.push_back(std::move(one));
    }
    if (kept || left.size() == missing.size()) return kept;
    missing = std::move(left);
  }
}

}  // namespace

KernelRecord KernelRecord::address(const std::string& device, const Prefix& prefix) {
  ifaddrmsg fixed{};
  fixed.ifa_family = family_of(prefix.address);
  fixed.ifa_prefixlen = prefix.bits;
  fixed.ifa_scope = RT_SCOPE_UNIVERSE;
  KernelRecord one{device, bytes_of(fixed), {}};
  one.attributes[IFA_LOCAL] = one.attributes[IFA_ADDRESS] = netlink_address(prefix.address);
  if (!prefix.address.is_v4()) {
    one.attributes[IFA_FLAGS] = bytes_of(std::uint32_t{IFA_F_NODAD});
  } else if (prefix.bits < 31) {
    const std::uint32_t host = ~std::uint32_t{0} >> prefix.bits;
    one.attributes[IFA_BROADCAST] =
        netlink_address(IpAddress::v4(prefix.address.v4_value() | host));
  }
  return one;
}

KernelRecord KernelRecord::default_route(const std::string& device, const IpAddress& gateway) {
  rtmsg fixed{};
  fixed.rtm_family = family_of(gateway);
  fixed.rtm_table = RT_TABLE_MAIN;
  fixed.rtm_protocol = RTPROT_STATIC;
  fixed.rtm_scope = RT_SCOPE_UNIVERSE;
  fixed.rtm_type = RTN_UNICAST;
  fixed.rtm_flags = RTNH_F_ONLINK;  // as of a /32 with a gateway beside it
  KernelRecord one{device, bytes_of(fixed), {}};
  one.attributes[RTA_GATEWAY] = netlink_address(gateway);
  one.attributes[RTA_PRIORITY] = bytes_of(kOurMetric);
  return one;
}

Result<NetworkState> NetworkState::read(const std::vector<std::string>& interfaces) {
  auto kernel = Kernel::open();
  if (!kernel) return tl::unexpected<Error>(kernel.error());
  if (auto done = kernel->look(); !done) return tl::unexpected<Error>(done.error());
  NetworkState state;
  for (const std::string& name : interfaces) {
    InterfaceState one;
    one.name = name;
    if (const Link* link = kernel->find(name)) {
      one.there = true;
      one.up = link->up;
      one.mtu = link->mtu;
      auto addresses = kernel->addresses(name);
      if (!addresses) return tl::unexpected<Error>(addresses.error());
      one.addresses = std::move(*addresses);
    }
    state.interfaces.push_back(std::move(one));
  }
  auto routes = kernel->routes({interfaces.begin(), interfaces.end()});
  if (!routes) return tl::unexpected<Error>(routes.error());
  state.routes = std::move(*routes);
  return state;
}

Result<void> NetworkState::enforce() const {
  auto kernel = Kernel::open();
  if (!kernel) return tl::unexpected<Error>(kernel.error());
  if (auto done = kernel->look(); !done) return done;
  Result<void> kept;
  for (const InterfaceState& one : interfaces)
    keep_first(kept, shape(*kernel, one));
  keep_first(kept, kernel->look());
  std::set<std::string> names;
  for (const InterfaceState& one : interfaces) {
    names.insert(one.name);
    if (one.there) keep_first(kept, set_addresses(*kernel, one));
  }
  const auto is = kernel->routes(names);
  if (!is) return tl::unexpected<Error>(is.error());
  std::set<std::string> wanted, had;
  for (const KernelRecord& one : routes)
    wanted.insert(route_key(one));
  for (const KernelRecord& one : *is) {
    had.insert(route_key(one));
    if (names.count(one.device) != 0 && wanted.count(route_key(one)) == 0)
      keep_first(kept, kernel->change_route(one, false));
  }
  std::vector<KernelRecord> missing;
  for (const KernelRecord& one : routes) {
    const bool ours = names.count(one.device) != 0 || one.device.empty();
    // One by an interface that went meanwhile is nobody's loss.
    if (had.count(route_key(one)) == 0 && (ours || kernel->find(one.device) != nullptr))
      missing.push_back(one);
  }
  keep_first(kept, add_routes(*kernel, std::move(missing)));
  return kept;
}

std::string NetworkState::lost_in(const NetworkState& is) const {
  for (const InterfaceState& one : interfaces) {
    const auto at =
        std::find_if(is.interfaces.begin(), is.interfaces.end(),
                     [&](const InterfaceState& other) { return other.name == one.name; });
    if (at == is.interfaces.end() || !at->there) return one.name + " is not there";
    if (!at->up) return one.name + " is down";
    if (one.mtu != 0 && at->mtu != one.mtu) return one.name + " has another MTU";
    for (const KernelRecord& address : one.addresses) {
      const bool has = std::any_of(
          at->addresses.begin(), at->addresses.end(),
          [&](const KernelRecord& other) { return address_key(other) == address_key(address); });
      if (!has) return one.name + " lost an address";
    }
  }
  for (const KernelRecord& route : routes) {
    const bool has = std::any_of(
        is.routes.begin(), is.routes.end(),
        [&](const KernelRecord& other) { return route_key(other) == route_key(route); });
    if (!has) return route.device + " lost a route";
  }
  return {};
}

Result<void> give_way_to(const std::string& device, bool v4) {
  auto kernel = Kernel::open();
  if (!kernel) return tl::unexpected<Error>(kernel.error());
  if (auto done = kernel->look(); !done) return done;
  const auto routes = kernel->routes({});
  if (!routes) return tl::unexpected<Error>(routes.error());
  Result<void> kept;
  for (const KernelRecord& one : *routes) {
    const bool before = netlink_value<std::uint32_t>(attribute(one, RTA_PRIORITY)) <= kOurMetric &&
                        netlink_value<rtmsg>(one.fixed).rtm_family == (v4 ? AF_INET : AF_INET6);
    if (before && one.device != device) keep_first(kept, kernel->change_route(one, false));
  }
  return kept;
}

}  // namespace beaconry
