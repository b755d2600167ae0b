#include "escape/byte_writer.h"
#include "escape/places.h"

namespace beaconry {
namespace {

constexpr std::uint16_t kPort = 123;

std::vector<Target> targets(const Scope& scope) {
  return home_and_relays(scope, kPort);
}

TargetCount count(const Scope& scope) {
  const std::uint64_t number = targets(scope).size();
  return {number, number == 0 ? kNoAddress : ""};
}

Target target(const Scope& scope, std::uint64_t index) {
  return pick(targets(scope), index);
}

// A client's question (RFC 5905 §7.3) with the ping in an extension field (RFC 7822) of a type that
// is for experiments.
Bytes question(Timestamp now, ByteView ping) {
  constexpr std::int64_t kFrom1900To1970 = 2'208'988'800;
  constexpr std::uint16_t kExperiment = 0xf5bc;
  const auto since = now.time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
  ByteWriter out;
  out.u8(0x23).u8(0).u8(6).u8(0xec);  // version 4, client; poll 64 s, precision 2^-20 s
  out.bytes(Bytes(36, 0));            // delay, dispersion, reference, three times not known
  out.u32(static_cast<std::uint64_t>(seconds.count() + kFrom1900To1970));
  out.u32(static_cast<std::uint64_t>((since - seconds).count()) * (1ULL << 32) / 1'000'000);
  const std::size_t padded = (ping.size() + 3) / 4 * 4;
  out.u16(kExperiment).u16(4 + padded).bytes(ping).bytes(Bytes(padded - ping.size(), 0));
  return out.take();
}

std::unique_ptr<Conversation> run(Wire& wire) {
  send_datagram(wire, question(wire.now(), wire.ping()));
  return nullptr;
}

}  // namespace

namespace methods {
extern constinit const Method ntp{
    .id = MethodId::ntp,
    .words =
        "a time query with a ping in it to home and to gateways and neighbours: a way for NTP, or "
        "a "
        "relay of it",
    .risk = Risk::none,
    .danger = "none: ordinary time queries; what servers do not know in them they ignore",
    .traits = 0,  // each frame shows to whom it goes; gateways are asked by every profile
    .needs_own_address = false,
    .count = count,
    .target = target,
    .run = run,
};
}
}  // namespace beaconry
