#include "flow/flow_state.h"

namespace beaconry {
namespace {

std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  const auto product = static_cast<unsigned __int128>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

}  // namespace

FlowTuple FlowTuple::of(const ParsedPacket& packet, bool& from_a) {
  FlowTuple tuple;
  from_a = flow_ends_of(&packet, &tuple) != 0;
  return tuple;
}

std::uint32_t FlowTuple::hash(std::uint64_t seed) const {
  const std::uint64_t rest = static_cast<std::uint64_t>(a_port) << 48 |
                             static_cast<std::uint64_t>(b_port) << 32 | protocol;
  const std::uint64_t ends = mix(a[0] ^ b[0] ^ seed, a[1] ^ 0x9e3779b97f4a7c15ULL) ^
                             mix(b[1] ^ seed, rest ^ 0xd6e8feb86659fd93ULL) ^ b[0];
  return static_cast<std::uint32_t>(mix(ends ^ seed, 0xa0761d6478bd642fULL));
}

IpAddress FlowTuple::address(bool of_a) const {
  return IpAddress::v6_bytes(reinterpret_cast<const std::uint8_t*>(of_a ? a : b));
}

bool end_a_opened(const FlowTuple& tuple, const FlowCore& core, const Networks& networks) {
  if (core.opener_known != 0) return core.a_opened != 0;
  const bool first = core.a_was_first != 0;
  const bool first_opened =
      first_end_opened(networks, tuple.address(first), first ? tuple.a_port : tuple.b_port,
                       tuple.address(!first), first ? tuple.b_port : tuple.a_port);
  return first_opened == first;
}

}  // namespace beaconry
