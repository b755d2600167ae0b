#include <algorithm>

#include "base/text.h"
#include "leak/leak.h"
#include "leak/method_words.h"
#include "leak/path.h"

namespace beaconry {
namespace {

constexpr MethodWords kWords[] = {
    {MethodId::none, "Pings of an unknown method", "The gateway forwards it."},
    {MethodId::control, "The positive control", "It is meant to pass."},
    {MethodId::udp_port, "UDP datagrams", "The gateway forwards UDP to these ports."},
    {MethodId::tcp_connect, "TCP connections",
     "The gateway lets TCP connections to these ports be made."},
    {MethodId::tcp_syn, "TCP SYN packets with data",
     "The gateway lets TCP connections to these ports begin, and hands on the data in the first "
     "packet without waiting for a handshake."},
    {MethodId::tcp_rst, "TCP resets without a connection",
     "The gateway forwards TCP packets that belong to no connection."},
    {MethodId::tcp_ack, "TCP acknowledgements without a connection",
     "The gateway forwards TCP packets that belong to no connection, or takes one for the middle "
     "of a connection."},
    {MethodId::icmp, "ICMP messages with data",
     "The gateway forwards ICMP, and does not look at what an echo carries."},
    {MethodId::icmpv6, "ICMPv6 messages with data",
     "The gateway forwards ICMPv6 beyond the error messages that IPv6 needs."},
    {MethodId::ip_proto, "Packets of other IP protocols",
     "The gateway forwards IP protocols that it neither knows nor inspects."},
    {MethodId::udp_lite, "UDP-Lite datagrams",
     "The gateway filters UDP and TCP, and forwards protocol 136, which carries ports as UDP "
     "does."},
    {MethodId::neighbour_gateway, "Packets handed to a neighbour",
     "The neighbour forwards packets of others."},
    {MethodId::ethernet_broadcast, "Packets in Ethernet broadcast frames",
     "A device forwards packets though their frame was sent to all and not to it."},
    {MethodId::vlan_double_tag, "Frames with two VLAN tags",
     "A switch takes off the outer tag and sends the frame on in the VLAN of the inner one."},
    {MethodId::dns, "DNS names", "The resolver asks the Internet on behalf of the segment."},
    {MethodId::dns_broadcast, "DNS questions sent to all",
     "A device answers DNS questions that were not meant for it, and asks the Internet for them."},
    {MethodId::spoof_bounce, "Answers to forged packets",
     "The neighbour answers a packet that names home as its sender, and its answer leaves by "
     "another way out than the segment's."},
    {MethodId::spoof_ttl, "Time-exceeded messages",
     "The neighbour tried to forward a packet whose time to live was over, and told home so."},
    {MethodId::spoof_inside, "Packets that bear another inside host's address",
     "The gateway trusts an address, and does not look where packets with it come from."},
    {MethodId::fragment, "Later fragments without a first one",
     "The gateway forwards fragments that bear no ports without waiting for the first."},
    {MethodId::source_route, "Source-routed packets",
     "The device follows the route that a packet asks for."},
    {MethodId::ipv6_forms, "IPv6 packets of unusual forms",
     "The gateway filters plain IPv6, and forwards it with extension headers, or any router that "
     "advertises itself does."},
    {MethodId::nat64, "IPv6 packets to NAT64 addresses",
     "A NAT64 gateway translates them to IPv4 and sends them on."},
    {MethodId::tls_hello, "TLS hellos",
     "The gateway lets the first message of a TLS connection through, or resolves the name in it."},
    {MethodId::quic, "QUIC packets", "The gateway forwards UDP to port 443."},
    {MethodId::http_proxy, "HTTP CONNECT requests",
     "The proxy connects to wherever it is asked to."},
    {MethodId::socks_proxy, "SOCKS requests", "The proxy connects to wherever it is asked to."},
    {MethodId::ntp, "NTP messages", "The time server hands on what the packet holds."},
    {MethodId::snmp, "SNMP messages", "An SNMP relay hands on traps to the outside."},
    {MethodId::syslog, "Syslog messages", "A log relay forwards what anybody sends it."},
    {MethodId::mdns, "mDNS questions", "A repeater carries multicast DNS out of the segment."},
    {MethodId::llmnr, "LLMNR questions", "A device carries LLMNR names out of the segment."},
    {MethodId::nbns, "NetBIOS names", "A device carries NetBIOS names out of the segment."},
    {MethodId::ssdp, "SSDP searches", "A repeater carries SSDP out of the segment."},
};

std::string to(const IpAddress& address) {
  return address.is_unspecified() ? std::string("an unknown address") : address.to_string();
}

// Methods that aim at a service, and at home itself as if it were one.
std::string_view why_of(const Leak& leak) {
  const bool forwarded = leak.path == PathKind::nat || leak.path == PathKind::direct ||
                         leak.path == PathKind::unnatted;
  if (forwarded && leak.method == MethodId::dns)
    return "The gateway lets DNS questions to any server pass.";
  if (forwarded && (leak.method == MethodId::ntp || leak.method == MethodId::snmp ||
                    leak.method == MethodId::syslog))
    return "The gateway lets this service pass to any server.";
  return words_of(leak.method).why;
}

// "through NAT as 203.0.113.1"
std::string path_phrase(const Leak& leak) {
  const std::string via = via_words(leak);
  const std::string out = to(leak.outer_source);
  switch (leak.path) {
    case PathKind::direct:
      return leak.method == MethodId::spoof_inside ? "get out, as " + out
                                                   : "get out with their own address " + out;
    case PathKind::nat:
      return "get out through NAT as " + out;
    case PathKind::unnatted:
      return "get out beside the NAT, as " + out;
    case PathKind::resolver:
      return via.empty() ? "get out through a resolver, asked by " + out
                         : "get out through the resolver " + via;
    case PathKind::neighbour_forwards:
      return via.empty() ? "get out through a neighbour that forwards, as " + out
                         : "get out through the neighbour " + via + ", which forwards";
    case PathKind::neighbour_bounces:
      return via.empty() ? "leave a neighbour by another way out, as " + out
                         : "leave the neighbour " + via + " by another way out";
    case PathKind::proxy:
      return via.empty() ? "get out through a proxy, as " + out
                         : "get out through the proxy " + via;
    case PathKind::reflector:
      return via.empty() ? "get out through a relay, as " + out
                         : "get out through the relay " + via;
    case PathKind::control:
      return "arrive, as they should";
  }
  return {};
}

std::string hops(const Leak& leak) {
  if (leak.ttl == 64) return " It arrived with its whole time to live: no router handed it on.";
  if (leak.ttl == 0 || leak.ttl > 64) return {};
  const int passed = 64 - leak.ttl;
  return " It arrived with a time to live of " + std::to_string(leak.ttl) + " of 64: " +
         (passed == 1 ? std::string("one router") : std::to_string(passed) + " routers") +
         " handed it on.";
}

std::string where(const Leak& leak) {
  const std::string via = via_words(leak), out = to(leak.outer_source);
  const std::string who = via.empty() ? "A device in the segment" : "The neighbour " + via;
  switch (leak.path) {
    case PathKind::direct:
      if (leak.method == MethodId::spoof_inside)
        return " Home saw the address " + out + " that the probe borrowed." + hops(leak);
      return " Home saw the address " + out +
             " of the probe itself, so nothing translates "
             "addresses on the way." +
             hops(leak);
    case PathKind::nat:
      return " Home saw it come from " + out + ", which is the address of the NAT." + hops(leak);
    case PathKind::unnatted:
      return " It arrived with the inside address " + out +
             ", so it passed the gateway beside its NAT: the gateway routes what it does not "
             "track." +
             hops(leak);
    case PathKind::resolver:
      return (via.empty() ? std::string(" The question was asked")
                          : " The probe asked " + via + ", and the question reached home") +
             " from " + out +
             ": data leaves in names even where no packet of the segment is forwarded.";
    case PathKind::neighbour_forwards:
      return " " + who + " forwards packets, and home saw them come from " + out + "." + hops(leak);
    case PathKind::neighbour_bounces:
      return " " + who + " has another way out, by which home saw it answer from " + out +
             ". This works even where it forwards nothing.";
    case PathKind::proxy:
      return " " + (via.empty() ? std::string("A proxy in the segment") : "The proxy " + via) +
             " carried it, and home saw it come from " + out + ".";
    case PathKind::reflector:
      return " " + (via.empty() ? std::string("A relay or repeater") : "The relay " + via) +
             " carried it, and home saw it come from " + out + ".";
    case PathKind::control:
      return {};
  }
  return {};
}

std::string history(const Leak& leak) {
  if (leak.times_opened <= 1 && !leak.closed) return {};
  std::string text = " It was open " + std::to_string(leak.times_opened) +
                     (leak.times_opened == 1 ? " time" : " times");
  Duration longest = leak.last - leak.opened;
  for (const auto& [from, until] : leak.open_times)
    longest = std::max(longest, until - from);
  return text + ", seen over at most " + to_words(longest) +
         (leak.closed ? ", and is closed now." : ", and is open now.");
}

std::vector<std::string> path_of(const Leak& leak, std::string_view probe_name) {
  std::vector<std::string> path;
  path.push_back("probe " + std::string(probe_name) +
                 (leak.inside.is_unspecified() ? "" : " (" + leak.inside.to_string() + ")"));
  const std::string via = via_words(leak);
  switch (leak.path) {
    case PathKind::resolver:
      path.push_back("resolver" + (via.empty() ? "" : " " + via));
      break;
    case PathKind::neighbour_forwards:
    case PathKind::neighbour_bounces:
      path.push_back("neighbour" + (via.empty() ? "" : " " + via));
      break;
    case PathKind::proxy:
      path.push_back("proxy" + (via.empty() ? "" : " " + via));
      break;
    case PathKind::reflector:
      path.push_back("relay" + (via.empty() ? "" : " " + via));
      break;
    default:
      path.push_back("gateway");
      break;
  }
  if (leak.outer_source != leak.inside && !leak.outer_source.is_unspecified())
    path.push_back((leak.path == PathKind::nat ? "NAT " : "as ") + leak.outer_source.to_string());
  path.push_back("home");
  return path;
}

template <class List, class Write>
std::string listed(const List& list, std::size_t most, const Write& write) {
  std::string text;
  for (std::size_t at = 0; at < list.size() && at < most; ++at)
    text += (at == 0 ? "" : ", ") + write(list[at]);
  if (list.size() > most) text += " and " + std::to_string(list.size() - most) + " more";
  return text;
}

}  // namespace

const MethodWords& words_of(MethodId method) {
  const auto* at = std::find_if(std::begin(kWords), std::end(kWords),
                                [&](const MethodWords& w) { return w.method == method; });
  return at == std::end(kWords) ? kWords[0] : *at;
}

std::string port_list(const Leak& leak, std::size_t most) {
  return listed(leak.ports, most, [](const auto& range) {
    return std::to_string(range.first) +
           (range.first == range.second ? "" : "-" + std::to_string(range.second));
  });
}

std::string variant_list(const Leak& leak, std::size_t most) {
  return listed(leak.variants, most, [](std::uint8_t v) { return std::to_string(v); });
}

std::string via_words(const Leak& leak) {
  if (leak.via.is_unspecified()) return {};
  if (leak.via.is_v4() && leak.via.v4_value() < 256)
    return leak.via.v4_value() == 0
               ? std::string()
               : "whose address ends in ." + std::to_string(leak.via.v4_value());
  return leak.via.to_string();
}

LeakWords describe(const Leak& leak, std::string_view probe_name) {
  const MethodWords& of = words_of(leak.method);
  const std::string name = terminal_safe(probe_name);
  LeakWords words;
  std::string what(of.noun);
  const bool has_ports = leak.method == MethodId::udp_port ||
                         leak.method == MethodId::tcp_connect || leak.method == MethodId::tcp_syn ||
                         leak.method == MethodId::udp_lite;
  if (has_ports && !leak.ports.empty()) what += " to port " + port_list(leak, 6);
  if (leak.method == MethodId::ip_proto && !leak.variants.empty())
    what += " (" + variant_list(leak, 8) + ")";
  words.title = name + ": " + what + (leak.ipv6 ? " over IPv6 " : " ") + path_phrase(leak);
  words.explanation =
      std::string(of.noun) + " of the probe " + name + " reached home. " +
      std::string(why_of(leak)) + where(leak) +
      (leak.two_way ? " It is two-way: home's answer came back to the probe, so what is inside "
                      "can be commanded from outside."
                    : " Home's answer was not seen to come back, so it is one-way as far as is "
                      "known: data can leave.") +
      history(leak);
  words.fix = fix_of(leak);
  words.path = path_of(leak, name);
  return words;
}

}  // namespace beaconry
