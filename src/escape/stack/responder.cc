#include "escape/stack/responder.h"

#include <algorithm>

#include "escape/stack/solicit.h"

namespace beaconry {
namespace {

constexpr std::size_t kMostEchoed = 1024;

bool is_ours(const Segment& segment, const IpAddress& address) {
  const auto& own = segment.own();
  return std::any_of(own.begin(), own.end(), [&](const Segment::OwnAddress& of) {
    return of.address == address && !of.kernel_owned;
  });
}

std::optional<Bytes> echo(const Frame& frame, const MacAddress& ours) {
  const bool v4 = frame.ip_source.is_v4();
  const std::uint8_t asked = v4 ? 8 : 128, answered = v4 ? 0 : 129;
  if (frame.icmp_type != asked || frame.transport.size() < 8 || frame.fragment != kWhole ||
      frame.payload.size() > kMostEchoed) {
    return std::nullopt;
  }
  const std::uint32_t rest = parse_be32(frame.transport.data() + 4);
  const IpAddress &from = frame.ip_destination, &to = frame.ip_source;
  const Bytes message = v4 ? icmp(answered, 0, rest, frame.payload)
                           : icmpv6(from, to, answered, 0, rest, frame.payload);
  return ethernet(frame.source, ours, v4 ? kEtherIpv4 : kEtherIpv6,
                  ip(from, to, frame.protocol, message));
}

}  // namespace

std::optional<Bytes> answer_to(const Frame& frame, const MacAddress& ours, const Segment& segment) {
  if (frame.vlan_tags > 0 || frame.source.is_group() || frame.source == ours) return std::nullopt;
  if (frame.destination != ours && !frame.destination.is_group()) return std::nullopt;
  if (frame.kind == Frame::Kind::arp) {
    const Frame::Arp& asked = frame.arp;
    if (asked.operation != 1 || !is_ours(segment, asked.target) || asked.sender_mac.is_group()) {
      return std::nullopt;
    }
    // A probe by a host that would like our address is answered as well: that is how it learns.
    return ethernet(asked.sender_mac, ours, kEtherArp,
                    arp(2, ours, asked.target, asked.sender_mac, asked.sender));
  }
  if (frame.kind != Frame::Kind::ip) return std::nullopt;
  if (const auto message = read_neighbour_message(frame)) {
    if (message->advertises || !is_ours(segment, message->target)) return std::nullopt;
    // Who names a group as where the answer goes, would have us speak to all in its stead.
    if (message->link_layer.value_or(frame.source).is_group() || frame.ip_source.is_multicast()) {
      return std::nullopt;
    }
    return neighbour_advertisement(ours, message->target,
                                   message->link_layer.value_or(frame.source), frame.ip_source);
  }
  if (!is_ours(segment, frame.ip_destination) || frame.destination != ours ||
      !is_host_address(frame.ip_source)) {
    return std::nullopt;
  }
  if (frame.protocol == (frame.ip_source.is_v4() ? kProtocolIcmp : kProtocolIcmpv6)) {
    return echo(frame, ours);
  }
  return std::nullopt;
}

}  // namespace beaconry
