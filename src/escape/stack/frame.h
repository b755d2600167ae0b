#pragma once
#include <optional>
#include <vector>

#include "packet/craft.h"
#include "packet/parse.h"

namespace beaconry {

// What an Ethernet frame says, as far as the probe cares. Views point into the frame. Checksums are
// not looked at: on virtual links they are often not filled in.
struct Frame {
  enum class Kind : std::uint8_t {
    other,  // neither ARP nor IP
    arp,    // IPv4 over Ethernet, whole
    ip,
    broken,  // says ARP or IP, and is none
  };
  struct Arp {
    std::uint16_t operation = 0;
    MacAddress sender_mac, target_mac;
    IpAddress sender, target;
  };

  Kind kind = Kind::other;
  MacAddress destination, source;
  std::uint16_t type = 0;      // beyond any VLAN tags
  std::uint8_t vlan_tags = 0;  // not stripped by the network card
  Arp arp;

  IpAddress ip_source, ip_destination;
  std::uint8_t protocol = 0;  // beyond extension headers
  std::uint8_t ttl = 0;
  FragmentKind fragment = kWhole;
  std::uint16_t source_port = 0, destination_port = 0;
  std::uint8_t tcp_flags = 0, icmp_type = 0;
  ByteView packet;     // from the IP header on, cut to the length that it says
  ByteView transport;  // beyond IP and its extension headers
  ByteView payload;    // beyond the transport's header
};
// Nothing: shorter than an Ethernet header.
std::optional<Frame> read_frame(ByteView bytes);

// A neighbour solicitation or advertisement (RFC 4861 §4.3, 4.4), hop limit 255.
constexpr std::uint8_t kRouterSolicitation = 133, kRouterAdvertisement = 134,
                       kNeighbourSolicitation = 135, kNeighbourAdvertisement = 136, kRedirect = 137;
struct NeighbourMessage {
  bool advertises = false;
  IpAddress target;
  std::optional<MacAddress> link_layer;  // the source's, or the target's where it advertises
};
std::optional<NeighbourMessage> read_neighbour_message(const Frame& frame);

// RFC 4861 §4.2, RFC 8106.
struct RouterAdvertisement {
  static constexpr std::size_t kMostPrefixes = 8, kMostResolvers = 8;
  struct Prefix {
    IpAddress network;
    unsigned length = 0;
    bool on_link = false, autonomous = false;
    std::uint32_t valid_seconds = 0;
  };
  IpAddress router;
  std::uint16_t lifetime_seconds = 0;  // as a default router; 0: it is none
  std::optional<MacAddress> link_layer;
  std::vector<Prefix> prefixes;
  std::vector<IpAddress> resolvers;  // whose lifetime is not over
};
std::optional<RouterAdvertisement> read_router_advertisement(const Frame& frame);

// ff02::1:ffXX:XXXX and its Ethernet address.
IpAddress solicited_node(const IpAddress& target);
MacAddress multicast_mac(const IpAddress& group);
inline bool is_unset(const IpAddress& address) {
  return address.is_unspecified() || address == IpAddress();
}
// May be one host's: neither unset, broadcast, loopback nor a group.
bool is_host_address(const IpAddress& address);

}  // namespace beaconry
