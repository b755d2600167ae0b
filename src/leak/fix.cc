#include <string>

#include "leak/method_words.h"
#include "leak/path.h"

namespace beaconry {
namespace {

constexpr std::string_view kForward = "\n  nft insert rule inet filter forward ";

// "ip saddr 10.0.1.0/24 "
std::string from_segment(const Leak& leak) {
  if (leak.inside.is_unspecified()) return {};
  const Cidr network(leak.inside.is_v4() ? leak.inside.masked(96 + 24) : leak.inside.masked(64),
                     leak.inside.is_v4() ? 24 : 64);
  return (leak.inside.is_v4() ? "ip saddr " : "ip6 saddr ") + network.to_string() + " ";
}

std::string drop(const Leak& leak, const std::string& match) {
  // A rule is of one family: the segment's address is left out where the match is of the other.
  const bool of_v6 = match.rfind("exthdr", 0) == 0 || match.rfind("ip6", 0) == 0;
  const bool of_v4 = match.rfind("ip ", 0) == 0;
  const bool other = leak.inside.is_v4() ? of_v6 : of_v4;
  return std::string(kForward) + (other ? std::string() : from_segment(leak)) + match +
         (match.empty() ? "" : " ") + "counter drop";
}

// Its ports as nft takes them; beyond a dozen ranges the whole protocol.
std::string with_ports(const Leak& leak, const std::string& protocol) {
  if (leak.ports.empty() || leak.ports.size() > 12) return "meta l4proto " + protocol;
  return protocol + " dport { " + port_list(leak, 12) + " }";
}

std::string policy() {
  return " Better still, let the gateway's forwarding policy be to drop, and list what may pass: "
         "what is not listed then cannot be forgotten.";
}

const char* family(const Leak& leak) {
  return leak.ipv6 ? "ipv6" : "ipv4";
}

// What the gateway must drop, by method.
std::string gateway(const Leak& leak) {
  switch (leak.method) {
    case MethodId::udp_port:
    case MethodId::dns:  // home asked as if it were a resolver
    case MethodId::ntp:
    case MethodId::snmp:
    case MethodId::syslog:
      return "On the gateway, drop UDP from this segment to these ports." + policy() +
             " With nftables:" + drop(leak, with_ports(leak, "udp"));
    case MethodId::tcp_connect:
    case MethodId::tcp_syn:
      return "On the gateway, drop TCP from this segment to these ports." + policy() +
             " With nftables:" + drop(leak, with_ports(leak, "tcp"));
    case MethodId::tcp_rst:
    case MethodId::tcp_ack:
      return "On the gateway, drop packets that belong to no connection (invalid state), before "
             "any rule that accepts, and begin connections by SYN alone. With nftables:" +
             std::string(kForward) + "ct state invalid counter drop" +
             drop(leak, "tcp flags & (fin|syn|rst|ack) != syn ct state new") +
             "\n  sysctl -w net.netfilter.nf_conntrack_tcp_loose=0";
    case MethodId::icmp:
      return "On the gateway, drop ICMP from this segment: unreachable and time-exceeded messages "
             "of known connections are 'related' and still pass. With nftables:" +
             std::string(kForward) + "ct state invalid counter drop" +
             drop(leak, "meta l4proto icmp ct state != related");
    case MethodId::icmpv6:
      return "On the gateway, forward of ICMPv6 only the errors of known connections. With "
             "nftables:" +
             std::string(kForward) + "ct state invalid counter drop" +
             drop(leak, "meta l4proto ipv6-icmp ct state != related");
    case MethodId::ip_proto:
      return "On the gateway, forward no IP protocols but those you list (usually TCP and UDP, "
             "and those only to listed places). With nftables:" +
             drop(leak, "meta l4proto != { tcp, udp }");
    case MethodId::udp_lite:
      return "On the gateway, drop UDP-Lite (IP protocol 136)." + policy() +
             " With nftables:" + drop(leak, "meta l4proto udplite");
    case MethodId::fragment:
      return "On the gateway, put fragments together before filtering (connection tracking does), "
             "or drop what is not the first. With nftables:" +
             (leak.ipv6 ? drop(leak, "exthdr frag exists")
                        : drop(leak, "ip frag-off & 0x1fff != 0"));
    case MethodId::source_route:
      return "Refuse source-routed packets on every device that routes. On Linux:"
             "\n  sysctl -w net.ipv4.conf.all.accept_source_route=0"
             "\n  sysctl -w net.ipv6.conf.all.accept_source_route=-1" +
             (leak.ipv6 ? drop(leak, "exthdr rt exists") : drop(leak, "ip option lsrr exists"));
    case MethodId::spoof_inside:
      return "On the gateway, refuse packets that come in by another interface than their sender "
             "is reached by, and let no rule trust an address alone. On Linux:"
             "\n  sysctl -w net.ipv4.conf.all.rp_filter=1"
             "\n  nft insert rule inet filter prerouting fib saddr . iif oif missing counter drop";
    case MethodId::ipv6_forms:
      return "On the gateway, drop IPv6 from this segment, or at least its extension headers, and "
             "on the switch drop router advertisements from ports without a router (RA guard). "
             "With nftables:" +
             drop(leak, "exthdr hbh exists") + drop(leak, "exthdr dst exists") +
             drop(leak, "exthdr frag exists") + drop(leak, "exthdr rt exists");
    case MethodId::nat64:
      return "Let the NAT64 gateway serve listed networks alone, and drop its prefix from this "
             "segment. With nftables:" +
             drop(leak, "ip6 daddr 64:ff9b::/96");
    case MethodId::tls_hello:
      return "On the gateway, drop TCP to these ports from this segment: an inspection that looks "
             "at the TLS hello has let the connection be made before it decides." +
             policy() + " With nftables:" + drop(leak, with_ports(leak, "tcp"));
    case MethodId::quic:
      return "On the gateway, drop UDP to port 443 from this segment." + policy() +
             " With nftables:" + drop(leak, "udp dport 443");
    case MethodId::vlan_double_tag:
      return "On the switch, use no VLAN that hosts are in as a trunk's native VLAN, tag the "
             "native VLAN, and refuse tagged frames on ports of hosts.";
    default:
      return "On the gateway, forward nothing from this segment that is not listed. With "
             "nftables:" +
             (from_segment(leak).empty()
                  ? "\n  nft chain inet filter forward '{ policy drop; }'"
                  : std::string(kForward) + from_segment(leak) + "counter drop");
  }
}

std::string resolver(const Leak& leak) {
  const std::string via = via_words(leak);
  if (leak.method == MethodId::tls_hello)
    return "The device that inspects TLS looks up the names that it finds. Switch that off (server "
           "name verification, URL categories by DNS), or let it ask a resolver that answers from "
           "a list of allowed names alone.";
  const std::string who = via.empty() ? "the resolver" : "the resolver " + via;
  std::string text;
  if (leak.method == MethodId::dns_broadcast)
    text =
        "Let the device answer DNS on the interfaces and networks that it is meant to serve "
        "alone (dnsmasq: bind-interfaces, interface=, local-service; unbound: interface: and "
        "access-control:). Then: ";
  text += "Let " + who +
          " answer this segment from its own zones and from a list of allowed names, and forward "
          "nothing else (dnsmasq: no-resolv with server=/allowed.example/ADDRESS; unbound: "
          "local-zone: \".\" refuse and a transparent zone for each allowed name; BIND: recursion "
          "no for this segment's view), or give the segment no resolver at all.";
  if (!leak.via.is_unspecified() && !is_inside_address(leak.via))
    text +=
        " It is a resolver outside: on the gateway, drop DNS to it:" + drop(leak, "udp dport 53") +
        drop(leak, "tcp dport 53");
  return text;
}

std::string forwards(const Leak& leak) {
  const std::string via = via_words(leak);
  std::string text;
  if (!via.empty()) {
    text = "On " + via + ", switch routing off:";
  } else {
    text = leak.outer_source == leak.inside
               ? std::string(
                     "Find the device: it kept the probe's address, so that home cannot "
                     "tell which; look whose Ethernet address the packet has outside.")
               : "Find the device: home saw it as " + leak.outer_source.to_string() + ".";
    text += " It must not route between networks: on it,";
  }
  text += leak.ipv6 ? "\n  sysctl -w net.ipv6.conf.all.forwarding=0"
                    : "\n  sysctl -w net.ipv4.ip_forward=0";
  text +=
      "\nand keep it in /etc/sysctl.d. On Windows, set IPEnableRouter to 0 and end Internet "
      "connection sharing; on a machine that must route (containers, virtual machines), drop "
      "what comes from this segment:";
  text += drop(leak, leak.inside.is_unspecified() ? std::string("meta nfproto ") + family(leak)
                                                  : std::string());
  text += "\nSafest: no device has a leg in this segment and another elsewhere.";
  if (leak.method == MethodId::ethernet_broadcast)
    text +=
        " Forwarding a frame that was sent to all is a fault of the device: ask its maker for "
        "a newer firmware.";
  if (leak.method == MethodId::ipv6_forms)
    text += " A router that only advertises itself is stopped by RA guard on the switch.";
  return text;
}

std::string bounces(const Leak& leak) {
  const std::string via = via_words(leak);
  const std::string who = via.empty() ? "the neighbour" : via;
  return "Take away the second way out of " + who +
         " (a second cable, a mobile or wireless interface, a VPN). Until then let it refuse "
         "packets whose sender is not reached by the interface that they come in by:" +
         (leak.ipv6 ? "" : "\n  sysctl -w net.ipv4.conf.all.rp_filter=1") +
         "\n  nft insert rule inet filter prerouting fib saddr . iif oif missing counter drop"
         "\nTurning forwarding off does not help here: it answers by itself. On a switch, IP "
         "source guard stops forged senders.";
}

std::string proxy(const Leak& leak) {
  const std::string via = via_words(leak);
  return "Let the proxy" + (via.empty() ? std::string() : " " + via) +
         " serve only hosts and destinations that are listed, ask for a login, and refuse "
         "CONNECT elsewhere (Squid: http_access deny CONNECT !allowed_sites; http_access deny "
         "all). If nobody needs it in this segment, stop it there" +
         (leak.method == MethodId::http_proxy
              ? std::string(", and withdraw what announces it (WPAD, DHCP option 252).")
              : std::string("."));
}

std::string reflector(const Leak& leak) {
  const std::string via = via_words(leak);
  const std::string who =
      via.empty() ? "the device that relays (home saw it as " + leak.outer_source.to_string() + ")"
                  : via;
  switch (leak.method) {
    case MethodId::ntp:
      return "On " + who +
             ", answer time to this segment and relay nothing (chrony: allow the "
             "segment, no peers named by it; ntpd: restrict default nomodify notrap nopeer noquery)"
             ".";
    case MethodId::snmp:
      return "On " + who +
             ", forward traps of listed senders alone (snmptrapd: authCommunity "
             "without net, access by source), and never to the outside.";
    case MethodId::syslog:
      return "On " + who +
             ", accept logs of listed senders alone (rsyslog: $AllowedSender; "
             "syslog-ng: netmask()), and forward them only over links that stay inside.";
    default:
      return "On " + who +
             ", do not repeat mDNS, LLMNR, NetBIOS or SSDP out of this segment "
             "(avahi: enable-reflector=no; remove mdns-repeater, UPnP and IGMP proxies; on access "
             "points and controllers, the Bonjour or service gateway), and stop multicast at the "
             "gateway:" +
             drop(leak, leak.ipv6 ? "ip6 daddr ff00::/8" : "ip daddr 224.0.0.0/4");
  }
}

}  // namespace

std::string fix_of(const Leak& leak) {
  switch (leak.path) {
    case PathKind::direct:
    case PathKind::nat:
      return gateway(leak);
    case PathKind::unnatted: {
      std::string text = gateway(leak);
      if (leak.method != MethodId::spoof_inside && leak.method != MethodId::tcp_rst &&
          leak.method != MethodId::tcp_ack)
        text +=
            "\nAnd let nothing leave with an inside address:\n  nft insert rule inet filter "
            "forward ct state invalid counter drop";
      return text;
    }
    case PathKind::resolver:
      return resolver(leak);
    case PathKind::neighbour_forwards:
      return leak.method == MethodId::source_route ? gateway(leak) + "\n" + forwards(leak)
                                                   : forwards(leak);
    case PathKind::neighbour_bounces:
      return bounces(leak);
    case PathKind::proxy:
      return proxy(leak);
    case PathKind::reflector:
      return reflector(leak);
    case PathKind::control:
      return "Nothing: this one is meant to arrive.";
  }
  return {};
}

}  // namespace beaconry
