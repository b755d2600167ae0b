#include "escape/byte_writer.h"
#include "escape/places.h"

namespace beaconry {
namespace {

constexpr std::uint8_t kTrap = 1, kGet = 2;  // variants
constexpr std::uint16_t kTrapPort = 162, kGetPort = 161;

std::vector<Target> targets(const Scope& scope) {
  std::vector<Target> list;
  for (const std::uint8_t variant : {kTrap, kGet}) {
    for (Target target : home_and_relays(scope, variant == kTrap ? kTrapPort : kGetPort)) {
      target.variant = variant;
      list.push_back(target);
    }
  }
  return list;
}

TargetCount count(const Scope& scope) {
  const std::uint64_t number = targets(scope).size();
  return {number, number == 0 ? kNoAddress : ""};
}

Target target(const Scope& scope, std::uint64_t index) {
  return pick(targets(scope), index);
}

// BER (X.690) of what SNMP needs.
enum Tag : std::uint8_t {
  kInteger = 0x02,
  kOctets = 0x04,
  kObject = 0x06,
  kSequence = 0x30,
  kTimeTicks = 0x43,
  kGetRequest = 0xa0,
  kTrapV2 = 0xa7,
};

Bytes tagged(Tag tag, ByteView content) {
  ByteWriter out;
  out.u8(tag);
  if (content.size() >= 256) {
    out.u8(0x82).u16(content.size());
  } else if (content.size() >= 128) {
    out.u8(0x81).u8(content.size());
  } else {
    out.u8(content.size());
  }
  return out.bytes(content).take();
}

Bytes joined(std::initializer_list<Bytes> parts) {
  ByteWriter out;
  for (const Bytes& part : parts)
    out.bytes(part);
  return out.take();
}

Bytes binding(ByteView object, const Bytes& value) {
  return tagged(kSequence, joined({tagged(kObject, object), value}));
}

// 1.3.6.1.4.1.8072.9999.9999: Net-SNMP's place for experiments.
constexpr std::uint8_t kPlayground[] = {0x2b, 6, 1, 4, 1, 0xbf, 0x08, 0xce, 0x0f, 0xce, 0x0f};

// Version 2c (RFC 1901, RFC 3416), community "public", the ping an octet string.
Bytes message(std::uint8_t variant, std::uint32_t id, ByteView ping) {
  const Bytes sys_up_time{0x2b, 6, 1, 2, 1, 1, 3, 0};
  const Bytes snmp_trap_oid{0x2b, 6, 1, 6, 3, 1, 1, 4, 1, 0};
  const Bytes zero = tagged(kInteger, Bytes{0});
  const Bytes carrier = binding(kPlayground, tagged(kOctets, ping));
  const Bytes bindings =
      variant == kGet ? carrier
                      : joined({binding(sys_up_time, tagged(kTimeTicks, Bytes{0})),
                                binding(snmp_trap_oid, tagged(kObject, kPlayground)), carrier});
  const Bytes number = ByteWriter().u32(id & 0x7fffffff).take();
  const Bytes pdu =
      tagged(variant == kGet ? kGetRequest : kTrapV2,
             joined({tagged(kInteger, number), zero, zero, tagged(kSequence, bindings)}));
  return tagged(kSequence,
                joined({tagged(kInteger, Bytes{1}), tagged(kOctets, as_bytes("public")), pdu}));
}

std::unique_ptr<Conversation> run(Wire& wire) {
  const std::uint8_t variant = wire.current().target.variant;
  send_datagram(wire, message(variant, wire.random(), wire.ping()));
  return nullptr;
}

}  // namespace

namespace methods {
extern constinit const Method snmp{
    .id = MethodId::snmp,
    .words =
        "an SNMP trap and a query with a ping in them to home and to gateways and neighbours: a "
        "way "
        "for SNMP, or a relay of it",
    .risk = Risk::low,
    .danger = "management stations may show a trap; agents refuse the query or answer it",
    .traits = 0,  // each frame shows to whom it goes; gateways are asked by every profile
    .needs_own_address = false,
    .count = count,
    .target = target,
    .run = run,
};
}
}  // namespace beaconry
