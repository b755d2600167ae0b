#include "sensor/network/links.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>

#include <cerrno>

namespace beaconry {
namespace {

constexpr std::uint8_t kNoAddresses = 1;  // IN6_ADDR_GEN_MODE_NONE
constexpr std::uint32_t kModeBridge = 4;  // MACVLAN_MODE_BRIDGE

std::string bytes_of(const MacAddress& mac) {
  return std::string(mac.bytes.begin(), mac.bytes.end());
}

ifinfomsg of_index(int index) {
  ifinfomsg link{};
  link.ifi_family = AF_UNSPEC;
  link.ifi_index = index;
  return link;
}

NetlinkMessage set_link(const ifinfomsg& link) {
  NetlinkMessage message(RTM_SETLINK, NLM_F_ACK);
  message.append(link);
  return message;
}

Link read_link(const nlmsghdr& header, const char* body) {
  const auto fixed = netlink_value<ifinfomsg>({body, sizeof(ifinfomsg)});
  Link link;
  link.index = fixed.ifi_index;
  link.up = (fixed.ifi_flags & IFF_UP) != 0;
  link.promiscuous = (fixed.ifi_flags & IFF_PROMISC) != 0;
  link.carrier = (fixed.ifi_flags & IFF_RUNNING) != 0;
  for_attributes({body + NLMSG_ALIGN(sizeof fixed), NLMSG_PAYLOAD(&header, sizeof fixed)},
                 [&](std::uint16_t type, std::string_view value) {
                   if (type == IFLA_IFNAME) link.name = netlink_text(value);
                   if (type == IFLA_IFALIAS) link.alias = netlink_text(value);
                   if (type == IFLA_MASTER) link.master = netlink_value<int>(value);
                   if (type == IFLA_LINK) link.lower = netlink_value<int>(value);
                   if (type == IFLA_MTU) link.mtu = netlink_value<std::uint32_t>(value);
                   if (type == IFLA_STATS64) {
                     // The kernel's structure grows; only its beginning is needed.
                     link.received = netlink_value<std::uint64_t>(value);
                     if (value.size() >= 16)
                       link.sent = netlink_value<std::uint64_t>(value.substr(8));
                   }
                   if (type == IFLA_LINKINFO) {
                     for_attributes(value, [&](std::uint16_t inner, std::string_view of) {
                       if (inner == IFLA_INFO_KIND) link.kind = netlink_text(of);
                     });
                   }
                 });
  return link;
}

}  // namespace

Result<Links> Links::open() {
  auto socket = NetlinkSocket::open(NETLINK_ROUTE);
  if (!socket) return tl::unexpected<Error>(socket.error());
  Links links;
  links.socket_ = std::move(*socket);
  return links;
}

Result<std::vector<Link>> Links::list() {
  NetlinkMessage message(RTM_GETLINK, NLM_F_DUMP);
  message.append(of_index(0));
  std::vector<Link> links;
  auto done = socket_.ask(message, "list", "network interfaces",
                          [&](const nlmsghdr& header, const char* at) {
                            if (header.nlmsg_type == RTM_NEWLINK)
                              links.push_back(read_link(header, at));
                          });
  if (!done) return tl::unexpected<Error>(done.error());
  return links;
}

Result<std::optional<Link>> Links::find(const std::string& name) {
  if (name.empty() || name.size() >= IFNAMSIZ) return std::optional<Link>{};
  NetlinkMessage message(RTM_GETLINK, NLM_F_ACK);
  message.append(of_index(0));
  message.put_text(IFLA_IFNAME, name);
  std::optional<Link> link;
  auto done = socket_.ask(message, "look for", "interface " + name,
                          [&](const nlmsghdr& header, const char* at) {
                            if (header.nlmsg_type == RTM_NEWLINK) link = read_link(header, at);
                          });
  if (!done && socket_.error() != ENODEV) return tl::unexpected<Error>(done.error());
  return link;
}

Result<void> Links::add_veth(const Veth& veth) {
  NetlinkMessage message(RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL);
  message.append(of_index(0));
  message.put_text(IFLA_IFNAME, veth.name);
  message.put_number(IFLA_MTU, veth.mtu);
  const std::size_t info = message.begin(IFLA_LINKINFO);
  message.put_text(IFLA_INFO_KIND, "veth");
  const std::size_t data = message.begin(IFLA_INFO_DATA);
  const std::size_t peer = message.begin(VETH_INFO_PEER);
  message.append(of_index(0));
  message.put_text(IFLA_IFNAME, veth.peer);
  message.put_number(IFLA_MTU, veth.mtu);
  if (veth.peer_mac) message.put(IFLA_ADDRESS, bytes_of(*veth.peer_mac));
  message.end(peer);
  message.end(data);
  message.end(info);
  return socket_.change(message, "make", "veth pair " + veth.name);
}

Result<void> Links::add_macvlan(const std::string& name, int parent,
                                std::optional<MacAddress> mac) {
  NetlinkMessage message(RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL);
  message.append(of_index(0));
  message.put_text(IFLA_IFNAME, name);
  message.put_number(IFLA_LINK, parent);
  if (mac) message.put(IFLA_ADDRESS, bytes_of(*mac));
  const std::size_t info = message.begin(IFLA_LINKINFO);
  message.put_text(IFLA_INFO_KIND, "macvlan");
  const std::size_t data = message.begin(IFLA_INFO_DATA);
  message.put_number(IFLA_MACVLAN_MODE, kModeBridge);
  message.end(data);
  message.end(info);
  return socket_.change(message, "make", "macvlan " + name);
}

Result<void> Links::add_vlan(const std::string& name, int parent, std::uint16_t id) {
  NetlinkMessage message(RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL);
  message.append(of_index(0));
  message.put_text(IFLA_IFNAME, name);
  message.put_number(IFLA_LINK, parent);
  const std::size_t info = message.begin(IFLA_LINKINFO);
  message.put_text(IFLA_INFO_KIND, "vlan");
  const std::size_t data = message.begin(IFLA_INFO_DATA);
  message.put_number(IFLA_VLAN_ID, id);
  message.end(data);
  message.end(info);
  return socket_.change(message, "make", "VLAN interface " + name);
}

Result<void> Links::remove(const std::string& name) {
  NetlinkMessage message(RTM_DELLINK, NLM_F_ACK);
  message.append(of_index(0));
  message.put_text(IFLA_IFNAME, name);
  auto done = socket_.change(message, "remove", "interface " + name);
  if (!done && socket_.error() == ENODEV) return {};
  return done;
}

Result<void> Links::set_flag(int index, unsigned flag, bool on, const std::string& operation) {
  ifinfomsg link = of_index(index);
  link.ifi_change = flag;
  link.ifi_flags = on ? flag : 0U;
  NetlinkMessage message = set_link(link);
  return socket_.change(message, operation, "interface " + std::to_string(index));
}

Result<void> Links::set_up(int index, bool up) {
  return set_flag(index, IFF_UP, up, up ? "bring up" : "take down");
}

Result<void> Links::set_mtu(int index, std::uint32_t mtu) {
  NetlinkMessage message = set_link(of_index(index));
  message.put_number(IFLA_MTU, mtu);
  return socket_.change(message, "set MTU " + std::to_string(mtu) + " of",
                        "interface " + std::to_string(index));
}

Result<void> Links::set_arp(int index, bool on) {
  return set_flag(index, IFF_NOARP, !on, "turn ARP on or off on");
}

Result<void> Links::set_promiscuous(int index, bool on) {
  return set_flag(index, IFF_PROMISC, on, "let hear all");
}

Result<void> Links::set_master(int index, int master) {
  NetlinkMessage message = set_link(of_index(index));
  message.put_number(IFLA_MASTER, master);
  return socket_.change(message, "put into its bridge", "interface " + std::to_string(index));
}

Result<void> Links::set_alias(int index, const std::string& alias) {
  NetlinkMessage message = set_link(of_index(index));
  message.put(IFLA_IFALIAS, alias);
  return socket_.change(message, "mark", "interface " + std::to_string(index));
}

Result<void> Links::set_no_ipv6_addresses(int index) {
  NetlinkMessage message = set_link(of_index(index));
  const std::size_t families = message.begin(IFLA_AF_SPEC);
  const std::size_t v6 = message.begin(AF_INET6);
  message.put_number(IFLA_INET6_ADDR_GEN_MODE, kNoAddresses);
  message.end(v6);
  message.end(families);
  auto done = socket_.change(message, "turn IPv6 autoconfiguration off on",
                             "interface " + std::to_string(index));
  // A kernel without IPv6, or with it off on this interface, makes no addresses anyway.
  const int error = socket_.error();
  if (!done && (error == EAFNOSUPPORT || error == EINVAL || error == EOPNOTSUPP)) return {};
  return done;
}

Result<void> Links::rename(int index, const std::string& name) {
  NetlinkMessage message = set_link(of_index(index));
  message.put_text(IFLA_IFNAME, name);
  return socket_.change(message, "rename", "interface " + std::to_string(index) + " to " + name);
}

Result<void> Links::move(int index, int name_space, const std::string& name) {
  NetlinkMessage message = set_link(of_index(index));
  message.put_number(IFLA_NET_NS_FD, name_space);
  message.put_text(IFLA_IFNAME, name);
  return socket_.change(message, "move", "interface " + name);
}

}  // namespace beaconry
