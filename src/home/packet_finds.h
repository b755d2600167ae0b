#pragma once
#include <cstdint>
#include <optional>

#include "packet/quic_initial.h"
#include "ping/observation.h"
#include "ping/seal.h"

namespace beaconry {

// What one IP packet holds for home. `seen` is filled but for receiver, authenticity and ping.
struct PacketFind {
  Observation seen;
  std::optional<FoundPing> ping;
  // Where there is no ping: what the packet answers may have been a token. Most packets' is none.
  std::optional<BounceToken> token;
  BounceForm sent_as{};  // echo, closed_port (UDP) or syn
  // An echo request's identifier and sequence number, for an answer.
  std::optional<std::uint32_t> echo;
};

// Looks through an IP packet of any kind: whole or a fragment, of a protocol that is known or not,
// well-formed or not. `packet` begins at the IP header and may be cut off. Nothing where it holds
// neither a ping nor what may be a token; then nothing is allocated.
std::optional<PacketFind> find_in_packet(ByteView packet, std::uint16_t dns_port);

}  // namespace beaconry
