#pragma once
#include <rapidcheck.h>

#include "ping/keys.h"
#include "ping/ping.h"

namespace beaconry {

// Parties and pings for tests.
inline PartyKeys party(std::uint8_t number) {
  Key32 seed{};
  seed.fill(number);
  return PartyKeys(seed);
}

inline Ping sample_ping() {
  Ping ping;
  ping.method = MethodId::udp_port;
  ping.variant = 3;
  ping.cycle = 12;
  ping.probe = party(1).id();
  ping.sequence = 1042;
  ping.sent = *parse_rfc3339("2026-11-21T18:00:00Z");
  ping.source = *IpAddress::parse("10.0.1.2");
  ping.destination = *IpAddress::parse("203.0.113.10");
  ping.port = 443;
  ping.via = *IpAddress::parse("10.0.1.50");
  return ping;
}

inline rc::Gen<IpAddress> any_address() {
  return rc::gen::exec([] {
    switch (*rc::gen::inRange(0, 3)) {
      case 0:
        return IpAddress{};
      case 1:
        return IpAddress::v4(*rc::gen::arbitrary<std::uint32_t>());
      default: {
        std::array<std::uint8_t, 16> bytes;
        for (auto& byte : bytes)
          byte = *rc::gen::element<std::uint8_t>(0, 0, 0xff, 0xfe, 0x20, 7);
        return IpAddress::v6_bytes(bytes.data());
      }
    }
  });
}

// Of whatever a ping can say.
inline rc::Gen<Ping> any_ping() {
  return rc::gen::exec([] {
    Ping ping;
    ping.leg = *rc::gen::element(Leg::outbound, Leg::reply, Leg::confirmed);
    ping.method = static_cast<MethodId>(*rc::gen::arbitrary<std::uint8_t>());
    ping.variant = *rc::gen::arbitrary<std::uint8_t>();
    ping.cycle_kind = *rc::gen::element(CycleKind::short_cycle, CycleKind::long_cycle);
    ping.cycle = *rc::gen::arbitrary<std::uint32_t>();
    ping.probe.value = *rc::gen::arbitrary<std::uint64_t>();
    ping.sequence = *rc::gen::arbitrary<std::uint64_t>();
    ping.sent = Timestamp{
        Duration{*rc::gen::inRange<std::int64_t>(0, kLatest.time_since_epoch().count() + 1)}};
    ping.source = *any_address();
    ping.destination = *any_address();
    ping.port = *rc::gen::arbitrary<std::uint16_t>();
    ping.via = *any_address();
    return ping;
  });
}

}  // namespace beaconry
