#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/ip_address.h"
#include "packet/craft.h"

namespace beaconry {

enum class DhcpType : std::uint8_t {
  discover = 1,
  offer = 2,
  request = 3,
  decline = 4,
  ack = 5,
  nak = 6,
  release = 7,
};

// What a DHCP server says (RFC 2131, 2132): OFFER, ACK or NAK, to whomever.
struct DhcpReply {
  static constexpr std::size_t kMostAddresses = 8;

  DhcpType type{};
  std::uint32_t transaction = 0;
  MacAddress client;
  IpAddress address;  // yours
  IpAddress server;
  unsigned prefix_length = 24;
  std::vector<IpAddress> routers, resolvers;
  std::uint32_t lease_seconds = 0, renew_seconds = 0, rebind_seconds = 0;  // 0: not said
  std::string wpad;                                                        // option 252, printable
};
std::optional<DhcpReply> read_dhcp_reply(ByteView message);

// What our client asks: a message with these options and the broadcast flag, so that the answer
// need not be sent to an address that is not ours yet.
struct DhcpQuestion {
  DhcpType type{};
  std::uint32_t transaction = 0;
  MacAddress client;
  Bytes client_id;      // option 61
  IpAddress ours;       // ciaddr: where the lease is bound already
  IpAddress requested;  // option 50
  IpAddress server;     // option 54
};
Bytes dhcp_question(const DhcpQuestion& question);

}  // namespace beaconry
