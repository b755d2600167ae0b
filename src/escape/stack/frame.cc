#include "escape/stack/frame.h"

#include <algorithm>

namespace beaconry {
namespace {

MacAddress read_mac(ByteView bytes) {
  MacAddress mac;
  if (bytes.size() >= mac.bytes.size())
    std::copy_n(bytes.begin(), mac.bytes.size(), mac.bytes.begin());
  return mac;
}

bool read_arp(ByteView body, Frame::Arp& arp) {
  ByteCursor cursor(body);
  if (cursor.u16() != 1 || cursor.u16() != kEtherIpv4) return false;
  if (cursor.u8() != 6 || cursor.u8() != 4) return false;
  arp.operation = cursor.u16();
  arp.sender_mac = read_mac(cursor.take(6));
  const ByteView sender = cursor.take(4);
  arp.target_mac = read_mac(cursor.take(6));
  const ByteView target = cursor.take(4);
  if (!cursor.ok()) return false;
  arp.sender = IpAddress::v4_bytes(sender.data());
  arp.target = IpAddress::v4_bytes(target.data());
  return true;
}

void read_ip(ByteView bytes, ByteView body, Frame& frame) {
  ParsedPacket parsed;
  frame.kind = Frame::Kind::broken;
  if (parse_packet(kLinkEthernet, bytes.data(), bytes.data() + bytes.size(),
                   static_cast<std::uint32_t>(bytes.size()), &parsed) != kParsed) {
    return;
  }
  frame.kind = Frame::Kind::ip;
  frame.ip_source = IpAddress::v6_bytes(parsed.source);
  frame.ip_destination = IpAddress::v6_bytes(parsed.destination);
  frame.protocol = parsed.protocol;
  frame.ttl = parsed.ip_version == 4 ? body[8] : body[7];
  frame.fragment = static_cast<FragmentKind>(parsed.fragment);
  frame.source_port = parsed.source_port;
  frame.destination_port = parsed.destination_port;
  frame.tcp_flags = parsed.tcp_flags;
  frame.icmp_type = parsed.icmp_type;
  if (parsed.payload != nullptr) frame.payload = {parsed.payload, parsed.payload_captured};
  // What IP says is its end; a frame may be padded beyond it. 0: segmentation was left to the card.
  const std::size_t said =
      parsed.ip_version == 4
          ? parse_be16(body.data() + 2)
          : (parse_be16(body.data() + 4) == 0 ? 0 : 40U + parse_be16(body.data() + 4));
  frame.packet = said == 0 ? body : body.first(std::min(said, body.size()));
  const std::size_t header = std::min<std::size_t>(parsed.ip_header, frame.packet.size());
  frame.transport = frame.packet.subspan(header);
}

// Options of neighbour discovery, each (type, its value); false where one is cut.
template <class Visit>
bool each_option(ByteView options, const Visit& visit) {
  while (!options.empty()) {
    if (options.size() < 8) return false;
    const std::size_t size = std::size_t{options[1]} * 8;
    if (size == 0 || size > options.size()) return false;
    visit(options[0], options.subspan(2, size - 2));
    options = options.subspan(size);
  }
  return true;
}

// What all of neighbour discovery must look like (RFC 4861 §6.1, 7.1): a hop limit that no router
// can have passed on.
bool is_discovery(const Frame& frame, std::uint8_t type, std::size_t least) {
  return frame.kind == Frame::Kind::ip && frame.protocol == kProtocolIcmpv6 &&
         !frame.ip_source.is_v4() && frame.ttl == 255 && frame.fragment == kWhole &&
         frame.transport.size() >= least && frame.transport[0] == type && frame.transport[1] == 0;
}

}  // namespace

std::optional<Frame> read_frame(ByteView bytes) {
  if (bytes.size() < 14) return std::nullopt;
  Frame frame;
  frame.destination = read_mac(bytes);
  frame.source = read_mac(bytes.subspan(6));
  frame.type = parse_be16(bytes.data() + 12);
  ByteView body = bytes.subspan(14);
  while (parse_is_vlan(frame.type) && body.size() >= 4 && frame.vlan_tags < kMostVlanTags) {
    frame.type = parse_be16(body.data() + 2);
    body = body.subspan(4);
    ++frame.vlan_tags;
  }
  if (frame.type == kEtherArp) {
    frame.kind = read_arp(body, frame.arp) ? Frame::Kind::arp : Frame::Kind::broken;
  } else if (frame.type == kEtherIpv4 || frame.type == kEtherIpv6) {
    read_ip(bytes, body, frame);
  }
  return frame;
}

std::optional<NeighbourMessage> read_neighbour_message(const Frame& frame) {
  const bool solicits = is_discovery(frame, kNeighbourSolicitation, 24);
  if (!solicits && !is_discovery(frame, kNeighbourAdvertisement, 24)) return std::nullopt;
  NeighbourMessage message;
  message.advertises = !solicits;
  message.target = IpAddress::v6_bytes(frame.transport.data() + 8);
  if (message.target.is_multicast()) return std::nullopt;
  const std::uint8_t wanted = solicits ? 1 : 2;
  const bool whole =
      each_option(frame.transport.subspan(24), [&](std::uint8_t type, ByteView value) {
        if (type == wanted) message.link_layer = read_mac(value);
      });
  if (!whole) return std::nullopt;
  return message;
}

std::optional<RouterAdvertisement> read_router_advertisement(const Frame& frame) {
  if (!is_discovery(frame, kRouterAdvertisement, 16) || !frame.ip_source.is_link_local()) {
    return std::nullopt;
  }
  RouterAdvertisement said;
  said.router = frame.ip_source;
  said.lifetime_seconds = parse_be16(frame.transport.data() + 6);
  const auto read = [&](std::uint8_t type, ByteView value) {
    if (type == 1) said.link_layer = read_mac(value);
    if (type == 3 && value.size() >= 30 && said.prefixes.size() < said.kMostPrefixes) {
      RouterAdvertisement::Prefix prefix;
      prefix.length = value[0];
      prefix.on_link = (value[1] & 0x80) != 0;
      prefix.autonomous = (value[1] & 0x40) != 0;
      prefix.valid_seconds = parse_be32(value.data() + 2);
      prefix.network = IpAddress::v6_bytes(value.data() + 14);
      if (prefix.length <= 128 && is_host_address(prefix.network) &&
          !prefix.network.is_link_local()) {
        prefix.network = prefix.network.masked(prefix.length);
        said.prefixes.push_back(prefix);
      }
    }
    if (type == 25 && value.size() >= 22 && parse_be32(value.data() + 2) != 0) {
      for (std::size_t at = 6; at + 16 <= value.size(); at += 16) {
        const IpAddress resolver = IpAddress::v6_bytes(value.data() + at);
        if (said.resolvers.size() < said.kMostResolvers && is_host_address(resolver) &&
            !resolver.is_v4()) {
          said.resolvers.push_back(resolver);
        }
      }
    }
  };
  if (!each_option(frame.transport.subspan(16), read)) return std::nullopt;
  return said;
}

IpAddress solicited_node(const IpAddress& target) {
  std::array<std::uint8_t, 16> bytes{0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff};
  std::copy(target.bytes().begin() + 13, target.bytes().end(), bytes.begin() + 13);
  return IpAddress::v6_bytes(bytes.data());
}

MacAddress multicast_mac(const IpAddress& group) {
  const auto& from = group.bytes();
  if (!group.is_v4()) return {{0x33, 0x33, from[12], from[13], from[14], from[15]}};
  if (group.is_broadcast()) return MacAddress::broadcast();
  return {{0x01, 0x00, 0x5e, static_cast<std::uint8_t>(from[13] & 0x7f), from[14], from[15]}};
}

bool is_host_address(const IpAddress& address) {
  if (address.is_unspecified() || address.is_multicast() || address.is_broadcast() ||
      address.is_loopback()) {
    return false;
  }
  return !address.is_v4() || address.bytes()[12] != 0;  // 0.0.0.0/8 is "this network"
}

}  // namespace beaconry
