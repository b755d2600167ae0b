#pragma once
#include <optional>
#include <span>
#include <vector>

#include "ping/seal.h"

namespace beaconry {

// A proof as IPv4 addresses, for answers to DNS questions of type A, which resolvers may put into
// any order: 240.x.y.z to 245.x.y.z, each with the next three bytes of the proof; behind its end
// are zeros. Nobody has such an address (RFC 1112 §4), so whoever connects to one disturbs nobody.
std::vector<IpAddress> proof_addresses(const ReplyProof& proof);
// Nothing where one is missing or there twice with another content; others are passed over.
std::optional<ReplyProof> proof_in_addresses(std::span<const IpAddress> addresses);

}  // namespace beaconry
