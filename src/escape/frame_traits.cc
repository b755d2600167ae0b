#include "escape/frame_traits.h"

#include <algorithm>

#include "escape/stack/frame.h"

namespace beaconry {
namespace {

constexpr std::uint8_t kRoutingHeader = 43, kFragmentHeader = 44;

bool holds(const std::vector<IpAddress>& list, const IpAddress& address) {
  return std::find(list.begin(), list.end(), address) != list.end();
}

bool is_directed_broadcast(const IpAddress& address, const std::vector<Cidr>& networks) {
  if (!address.is_v4()) return false;
  return std::any_of(networks.begin(), networks.end(), [&](const Cidr& network) {
    if (network.bits() < 96 || network.bits() >= 127 || !network.contains(address)) return false;
    const std::uint32_t hosts = 0xffffffffU >> (network.bits() - 96);
    return (address.v4_value() & hosts) == hosts;
  });
}

// Walks a frame once and writes down what is in it.
class Inspection {
 public:
  Inspection(ByteView bytes, const MacAddress& ours, const std::vector<IpAddress>& own,
             const std::vector<Cidr>& networks)
      : bytes_(bytes), ours_(ours), own_(own), networks_(networks) {}

  FrameTraits run() {
    const auto frame = read_frame(bytes_);
    if (!frame) {
      found_.traits = kMalformed;
      return found_;
    }
    found_.destination = frame->destination;
    found_.source = frame->source;
    found_.to_all = frame->destination.is_group();
    if (frame->source != ours_) found_.traits |= kSpoofed;
    // Hosts on an access port send no tags.
    if (frame->vlan_tags > 0) found_.traits |= kMalformed;
    if (frame->kind == Frame::Kind::broken) {
      found_.traits |= kMalformed;
      look_for_fragments();
    }
    if (frame->kind == Frame::Kind::arp) arp(frame->arp);
    if (frame->kind == Frame::Kind::ip) ip(*frame);
    if (found_.traits != 0) found_.housekeeping = false;
    if (found_.to_all && !found_.housekeeping) found_.traits |= kBroadcast;
    return found_;
  }

 private:
  void note(const IpAddress& address) {
    if (!is_unset(address)) found_.addresses.push_back(address);
  }

  void arp(const Frame::Arp& said) {
    note(said.sender);
    note(said.target);
    if (said.sender_mac != ours_) found_.traits |= kSpoofed;
    if (!said.sender.is_unspecified() && !holds(own_, said.sender)) found_.traits |= kSpoofed;
    if (said.operation != 1 && said.operation != 2) found_.traits |= kMalformed;
    found_.housekeeping = true;
  }

  // A header that cannot be read to its end may still say that it is a fragment.
  void look_for_fragments() {
    if (bytes_.size() >= 22 && parse_be16(bytes_.data() + 12) == kEtherIpv4 &&
        (parse_be16(bytes_.data() + 20) & 0x3fff) != 0) {
      found_.traits |= kFragmented;
    }
  }

  void ip(const Frame& frame) {
    found_.is_ip = true;
    found_.ip_destination = frame.ip_destination;
    note(frame.ip_source);
    note(frame.ip_destination);
    if (frame.ip_destination.is_multicast() || frame.ip_destination.is_broadcast() ||
        is_directed_broadcast(frame.ip_destination, networks_)) {
      found_.to_all = true;
    }
    const bool v4 = frame.ip_destination.is_v4();
    found_.housekeeping = is_housekeeping(frame);
    const bool unset_is_right =
        found_.housekeeping && is_unset(frame.ip_source);  // before there is an address
    if (!unset_is_right && !holds(own_, frame.ip_source)) found_.traits |= kSpoofed;
    if (frame.fragment != kWhole) found_.traits |= kFragmented;
    if (v4) {
      ipv4(frame);
    } else {
      ipv6(frame);
    }
    if (frame.fragment == kWhole) transport(frame);
    if (frame.protocol == kProtocolIcmpv6 && !v4) discovery(frame);
  }

  // ARP has its own place; this is DHCP, router solicitations and neighbour discovery.
  static bool is_housekeeping(const Frame& frame) {
    if (frame.fragment != kWhole) return false;
    if (frame.protocol == kProtocolUdp && frame.ip_destination.is_v4()) {
      return frame.source_port == 68 && frame.destination_port == 67 &&
             frame.payload.size() >= 240 && frame.payload[0] == 1;
    }
    if (read_neighbour_message(frame)) return true;
    return frame.protocol == kProtocolIcmpv6 && !frame.ip_destination.is_v4() && frame.ttl == 255 &&
           frame.icmp_type == kRouterSolicitation;
  }

  void ipv4(const Frame& frame) {
    const std::size_t header = static_cast<std::size_t>(frame.packet[0] & 15) * 4;
    if (finish_checksum(add_to_checksum(0, frame.packet.first(header))) != 0 ||
        parse_be16(frame.packet.data() + 2) != frame.packet.size()) {
      found_.traits |= kMalformed;
    }
    if ((parse_be16(frame.packet.data() + 6) & 0x8000) != 0) found_.traits |= kMalformed;
    ByteView options = frame.packet.subspan(20, header - 20);
    while (!options.empty() && options[0] != 0) {
      if (options[0] == 1) {
        options = options.subspan(1);
        continue;
      }
      if (options.size() < 2 || options[1] < 2 || options[1] > options.size()) {
        found_.traits |= kMalformed;
        return;
      }
      const bool route = options[0] == 131 || options[0] == 137;  // loose, strict
      if (route) {
        found_.traits |= kSourceRouted;
        for (std::size_t at = 3; at + 4 <= options[1]; at += 4) {
          last_hop_ = IpAddress::v4_bytes(options.data() + at);
          note(last_hop_);
        }
      } else if (options[0] != 148) {  // router alert, as IGMP has it
        found_.traits |= kMalformed;
      }
      options = options.subspan(options[1]);
    }
  }

  void ipv6(const Frame& frame) {
    const std::size_t said = parse_be16(frame.packet.data() + 4);
    if (said + 40 != frame.packet.size()) found_.traits |= kMalformed;
    // read_frame() has walked these headers, so they are whole.
    std::uint8_t next = frame.packet[6];
    ByteView at = frame.packet.subspan(40);
    while (at.data() < frame.transport.data() && at.size() >= 8) {
      std::size_t size = (std::size_t{at[1]} + 1) * 8;
      if (next == kFragmentHeader) {
        size = 8;
        found_.traits |= kFragmented;
      }
      if (next == 51) size = (std::size_t{at[1]} + 2) * 4;
      if (size > at.size()) break;
      if (next == kRoutingHeader) {
        found_.traits |= kSourceRouted;
        for (std::size_t hop = 8; hop + 16 <= size; hop += 16) {
          if (at[3] > 0) last_hop_ = IpAddress::v6_bytes(at.data() + hop);
          note(IpAddress::v6_bytes(at.data() + hop));
        }
      }
      next = at[0];
      at = at.subspan(size);
    }
  }

  void transport(const Frame& frame) {
    const ByteView bytes = frame.transport;
    const bool v4 = frame.ip_destination.is_v4();
    const std::size_t from = v4 ? 12 : 0;
    const auto sums_up = [&] {
      std::uint32_t sum = add_to_checksum(0, ByteView(frame.ip_source.bytes()).subspan(from));
      // Of a source route, the last stop: RFC 1122 §4.1.3.4, RFC 8200 §8.1.
      const IpAddress& to = is_unset(last_hop_) ? frame.ip_destination : last_hop_;
      sum = add_to_checksum(sum, ByteView(to.bytes()).subspan(from));
      sum += frame.protocol + static_cast<std::uint32_t>(bytes.size());
      return finish_checksum(add_to_checksum(sum, bytes)) == 0;
    };
    bool right = true;
    if (frame.protocol == kProtocolUdp) {
      right = bytes.size() >= 8 && parse_be16(bytes.data() + 4) == bytes.size() &&
              ((v4 && bytes[6] == 0 && bytes[7] == 0) || sums_up());
    } else if (frame.protocol == kProtocolTcp) {
      const int flags = frame.tcp_flags & (kTcpFin | kTcpSyn | kTcpRst | kTcpAck);
      const bool together = (flags & kTcpSyn) != 0 && (flags & (kTcpFin | kTcpRst)) != 0;
      right = flags != 0 && flags != kTcpFin && !together && sums_up();
    } else if (frame.protocol == kProtocolIcmp && v4) {
      right = finish_checksum(add_to_checksum(0, bytes)) == 0;
    } else if (frame.protocol == kProtocolIcmpv6 && !v4) {
      right = sums_up();
    }
    if (!right) found_.traits |= kMalformed;
  }

  void discovery(const Frame& frame) {
    if (frame.icmp_type == kRouterAdvertisement || frame.icmp_type == kRedirect) {
      found_.traits |= kSpoofed;  // we are no router
    }
    const auto message = read_neighbour_message(frame);
    if (!message) return;
    note(message->target);
    if (message->advertises && !holds(own_, message->target)) found_.traits |= kSpoofed;
    if (message->link_layer && *message->link_layer != ours_) found_.traits |= kSpoofed;
  }

  ByteView bytes_;
  const MacAddress& ours_;
  const std::vector<IpAddress>& own_;
  const std::vector<Cidr>& networks_;
  FrameTraits found_;
  IpAddress last_hop_;  // of a source route
};

}  // namespace

std::string_view trait_word(std::uint32_t traits) {
  if (traits & kSpoofed) return "spoofed";
  if (traits & kMalformed) return "malformed";
  if (traits & kFragmented) return "fragmented";
  if (traits & kSourceRouted) return "source-routed";
  if (traits & kBroadcast) return "broadcast";
  if (traits & kToNeighbour) return "to a neighbour that is not listed";
  if (traits & kToUnnamed) return "to a place that its configuration does not name";
  return "";
}

FrameTraits inspect_frame(ByteView frame, const MacAddress& ours, const std::vector<IpAddress>& own,
                          const std::vector<Cidr>& networks) {
  return Inspection(frame, ours, own, networks).run();
}

}  // namespace beaconry
