// Addresses and routes of an interface.
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "base/ip_address.h"
#include "sensor/network/links.h"
#include "sensor/network/prefix.h"

namespace beaconry {
namespace {

std::uint8_t family_of(const IpAddress& address) {
  return address.is_v4() ? AF_INET : AF_INET6;
}

struct OwnAddress {
  ifaddrmsg fixed;
  std::string bytes;
};

Result<std::vector<OwnAddress>> list_addresses(NetlinkSocket& socket, int index,
                                               std::uint8_t family) {
  NetlinkMessage message(RTM_GETADDR, NLM_F_DUMP);
  ifaddrmsg all{};
  all.ifa_family = family;
  message.append(all);
  std::vector<OwnAddress> found;
  auto done =
      socket.ask(message, "list", "addresses", [&](const nlmsghdr& header, const char* body) {
        const auto fixed = netlink_value<ifaddrmsg>({body, sizeof(ifaddrmsg)});
        if (header.nlmsg_type != RTM_NEWADDR || fixed.ifa_scope == RT_SCOPE_LINK ||
            static_cast<int>(fixed.ifa_index) != index)
          return;
        OwnAddress one{fixed, {}};
        for_attributes({body + NLMSG_ALIGN(sizeof fixed), NLMSG_PAYLOAD(&header, sizeof fixed)},
                       [&](std::uint16_t type, std::string_view value) {
                         if (type == IFA_LOCAL || (type == IFA_ADDRESS && one.bytes.empty()))
                           one.bytes = value;
                       });
        found.push_back(std::move(one));
      });
  if (!done) return tl::unexpected<Error>(done.error());
  return found;
}

}  // namespace

std::optional<Prefix> Prefix::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  const unsigned most = address->is_v4() ? 32 : 128;
  const std::string_view digits = text.substr(slash + 1);
  if (digits.empty() || digits.size() > 3) return std::nullopt;
  unsigned bits = 0;
  for (const char one : digits) {
    if (one < '0' || one > '9') return std::nullopt;
    bits = bits * 10 + static_cast<unsigned>(one - '0');
  }
  if (bits > most) return std::nullopt;
  return Prefix{*address, static_cast<std::uint8_t>(bits)};
}

std::string Prefix::to_string() const {
  return address.to_string() + "/" + std::to_string(bits);
}

Result<void> Links::add_address(int index, const std::string& address_and_prefix) {
  const auto prefix = Prefix::parse(address_and_prefix);
  if (!prefix)
    return fail(ErrorKind::usage, "set", "address " + address_and_prefix,
                "expected an address with its prefix, such as 192.0.2.7/24");
  ifaddrmsg fixed{};
  fixed.ifa_family = family_of(prefix->address);
  fixed.ifa_prefixlen = prefix->bits;
  fixed.ifa_scope = RT_SCOPE_UNIVERSE;
  fixed.ifa_index = static_cast<unsigned>(index);
  // Its owner chose it: it holds at once, without asking the segment.
  fixed.ifa_flags = prefix->address.is_v4() ? 0 : IFA_F_NODAD;
  NetlinkMessage message(RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE);
  message.append(fixed);
  message.put(IFA_LOCAL, netlink_address(prefix->address));
  message.put(IFA_ADDRESS, netlink_address(prefix->address));
  if (prefix->address.is_v4() && prefix->bits < 31) {
    const std::uint32_t host = ~std::uint32_t{0} >> prefix->bits;
    message.put(IFA_BROADCAST, netlink_address(IpAddress::v4(prefix->address.v4_value() | host)));
  }
  return socket_.change(message, "set", "address " + address_and_prefix);
}

Result<void> Links::add_default_route(int index, const std::string& gateway) {
  const auto address = IpAddress::parse(gateway);
  if (!address)
    return fail(ErrorKind::usage, "set", "gateway " + gateway, "expected an address: 192.0.2.1");
  rtmsg route{};
  route.rtm_family = family_of(*address);
  route.rtm_table = RT_TABLE_MAIN;
  route.rtm_protocol = RTPROT_STATIC;
  route.rtm_scope = RT_SCOPE_UNIVERSE;
  route.rtm_type = RTN_UNICAST;
  route.rtm_flags = RTNH_F_ONLINK;  // as of a /32 with a gateway beside it
  NetlinkMessage message(RTM_NEWROUTE, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE);
  message.append(route);
  message.put(RTA_GATEWAY, netlink_address(*address));
  message.put_number(RTA_OIF, index);
  message.put_number(RTA_PRIORITY, index);  // of several, the first interface
  return socket_.change(message, "set", "gateway " + gateway);
}

Result<void> Links::remove_addresses(int index, bool v6) {
  auto found = list_addresses(socket_, index, v6 ? AF_INET6 : AF_INET);
  if (!found) return tl::unexpected<Error>(found.error());
  for (const OwnAddress& one : *found) {
    NetlinkMessage message(RTM_DELADDR, NLM_F_ACK);
    message.append(one.fixed);
    message.put(IFA_LOCAL, one.bytes);
    if (auto done = socket_.change(message, "remove", "an address"); !done) return done;
  }
  return {};
}

Result<std::vector<std::string>> Links::addresses(int index) {
  auto found = list_addresses(socket_, index, AF_UNSPEC);
  if (!found) return tl::unexpected<Error>(found.error());
  std::vector<std::string> all;
  for (const OwnAddress& one : *found) {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(one.bytes.data());
    if (one.bytes.size() != 4 && one.bytes.size() != 16) continue;
    const IpAddress address =
        one.bytes.size() == 4 ? IpAddress::v4_bytes(bytes) : IpAddress::v6_bytes(bytes);
    all.push_back(Prefix{address, one.fixed.ifa_prefixlen}.to_string());
  }
  return all;
}

}  // namespace beaconry
