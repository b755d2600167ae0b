#pragma once
#include "ping/observation.h"

// Observations as home makes them, for tests of this folder.
namespace beaconry::test {

constexpr ProbeId kProbe{0x1122334455667788};
const Timestamp kStart{std::chrono::seconds{1'800'000'000}};

inline IpAddress address(const char* text) {
  return *IpAddress::parse(text);
}

// A ping by udp-port of 10.0.1.9 that came through NAT, `at` after kStart by both clocks.
inline Observation ping_seen(std::uint64_t sequence, Duration at = {}) {
  Observation o;
  o.received = kStart + at;
  o.authenticity = Authenticity::authentic;
  o.carrier = Carrier::payload;
  o.receiver = "udp";
  o.ping.leg = Leg::outbound;
  o.ping.method = MethodId::udp_port;
  o.ping.cycle = 1;
  o.ping.probe = kProbe;
  o.ping.sequence = sequence;
  o.ping.sent = kStart + at;
  o.ping.source = address("10.0.1.9");
  o.ping.destination = address("203.0.113.10");
  o.ping.port = 443;
  o.source = address("203.0.113.1");
  o.destination = address("203.0.113.10");
  o.source_port = 40'000;
  o.destination_port = 443;
  o.protocol = 17;
  o.ttl = 63;
  return o;
}

// A bounce token: the SYN-ACK of the neighbour .50 whose way out has the address 198.51.100.7.
inline Observation token_seen(Duration at = {}, std::uint16_t port = 443) {
  Observation o = ping_seen(0, at);
  o.authenticity = Authenticity::token;
  o.carrier = Carrier::syn_answer;
  o.receiver = "sniffer";
  const auto sent = o.ping.sent;
  o.ping = Ping{};
  o.ping.probe = kProbe;
  o.ping.method = MethodId::spoof_bounce;
  o.ping.variant = 2;
  o.ping.sent = std::chrono::floor<std::chrono::hours>(sent);
  o.ping.via = IpAddress::v4(50);
  o.source = address("198.51.100.7");
  o.source_port = port;
  o.protocol = 6;
  o.ttl = 64;
  return o;
}

// A token of spoof-ttl: "time exceeded" of the neighbour .50, quoting a packet of this protocol.
inline Observation exceeded_seen(Duration at, std::uint8_t quoted_protocol) {
  Observation o = token_seen(at, 0);
  o.carrier = Carrier::quoted;
  o.ping.method = MethodId::spoof_ttl;
  o.ping.variant = 3;
  o.protocol = 1;
  o.raw = std::string(56, '\0');
  o.raw[0] = o.raw[28] = 0x45;
  o.raw[9] = 1;
  o.raw[20] = 11;
  o.raw[28 + 9] = static_cast<char>(quoted_protocol);
  return o;
}

}  // namespace beaconry::test
