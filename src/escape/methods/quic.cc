#include <iterator>

#include "escape/byte_writer.h"
#include "escape/client_hello.h"
#include "escape/places.h"
#include "escape/quic_seal.h"

namespace beaconry {
namespace {

constexpr std::uint16_t kPorts[] = {443, 80, 853, 8443, 4433};
constexpr std::size_t kCommonPorts = 1;  // of the short cycle

std::vector<Target> targets(const Scope& scope) {
  const std::size_t ports = scope.cycle == CycleKind::long_cycle ? std::size(kPorts) : kCommonPorts;
  return homes_at(scope, std::span(kPorts).first(ports));
}

TargetCount count(const Scope& scope) {
  const std::uint64_t number = targets(scope).size();
  return {number, number == 0 ? kNoFamily : ""};
}

Target target(const Scope& scope, std::uint64_t index) {
  return pick(targets(scope), index);
}

Bytes random_id(Wire& wire) {
  return ByteWriter().u32(wire.random()).u32(wire.random()).take();
}

// Transport parameters (RFC 9000 §18.2) that every client sends.
Bytes parameters(const Bytes& source_id) {
  ByteWriter out;
  out.u8(0x0f).counted(1, source_id);                // initial_source_connection_id
  out.u8(0x01).u8(4).u32(0x80000000U | 30'000);      // max_idle_timeout, ms
  out.u8(0x04).u8(4).u32(0x80000000U | (1U << 20));  // initial_max_data
  for (const unsigned stream_limit : {0x05U, 0x06U, 0x07U}) {
    out.u8(stream_limit).u8(4).u32(0x80000000U | (1U << 18));
  }
  out.u8(0x08).u8(2).u16(0x4000 | 100);  // initial_max_streams_bidi
  out.u8(0x09).u8(2).u16(0x4000 | 3);    // initial_max_streams_uni
  return out.take();
}

// The ping stands in the packet twice: as it is in the token, where home finds it without any
// decryption (a token is opaque to all but the server that gave it), and, where home has a zone, as
// the server name of the hello, for whoever on the way decrypts Initials to see whither they go.
// Home answers with a datagram of its own.
std::unique_ptr<Conversation> run(Wire& wire) {
  const Bytes sealed = wire.ping();
  const std::string& zone = wire.scope().config.home.zone;
  std::string name;
  if (!zone.empty()) name = ping_name(sealed, zone).value_or("");
  constexpr std::string_view kProtocols[] = {"h3"};
  const Bytes source_id = random_id(wire);
  const Bytes hello = client_hello_message({name, kProtocols, parameters(source_id)},
                                           [&] { return wire.random(); });
  send_datagram(wire, seal_quic_initial({random_id(wire), source_id, sealed, hello}));
  return nullptr;
}

}  // namespace

namespace methods {
extern constinit const Method quic{
    .id = MethodId::quic,
    .words =
        "a QUIC Initial to home, with a ping as its token and as its server name: one-way, and "
        "two-way if home's answer comes back",
    .risk = Risk::none,
    .danger = "none: one datagram of 1,200 bytes",
    .traits = 0,
    .needs_own_address = false,
    .count = count,
    .target = target,
    .run = run,
};
}
}  // namespace beaconry
