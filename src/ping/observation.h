#pragma once
#include <cstdint>
#include <string>

#include "base/ip_address.h"
#include "base/time.h"
#include "ping/ping.h"

namespace beaconry {

// How sure home is of who sent it.
enum class Authenticity : std::uint8_t {
  authentic = 1,    // a ping that a probe's key opens
  token = 2,        // a bounce token: probe, form and hour, but no ping
  unknown_key = 3,  // it has a ping's shape, and no key of ours opens it
};

// What carried it to home.
enum class Carrier : std::uint8_t {
  payload = 1,       // of the packet that the probe sent
  quoted = 2,        // in an ICMP error about a packet that bore home's address as its source
  echo_reply = 3,    // an answer to an echo that bore home's address
  syn_answer = 4,    // SYN-ACK or RST to a SYN that bore it
  dns_question = 5,  // asked by a resolver, or by the probe itself
  server_name = 6,   // of a TLS hello
  http = 7,          // a request's target
  text = 8,          // in a text of any other kind: a log line, a discovery
  injected = 9,      // by home itself: the positive control where no path is open
};

// What home saw of one ping: facts only. docs/formats/observation.md.
struct Observation {
  static constexpr std::size_t kMostRaw = 512;

  Timestamp received{};
  Authenticity authenticity = Authenticity::unknown_key;
  Carrier carrier = Carrier::payload;
  std::string receiver;  // "sniffer", "udp", "tcp", "dns", "tls", "http"
  bool retired = false;  // a revoked or ended probe's key
  // Authentic: as it was sealed. Token: probe, method and variant, `sent` the hour's beginning,
  // sequence 0, via an IPv4 address of which only the last byte is known (0.0.0.N). Unknown: empty.
  Ping ping;
  // As it arrived. A resolver's, a NAT's or a neighbour's address is the source.
  IpAddress source, destination;
  std::uint16_t source_port = 0, destination_port = 0;
  std::uint8_t protocol = 0;  // IANA
  std::uint8_t ttl = 0;       // of the arriving IP header; 0: unknown
  std::string raw;            // the packet's or message's beginning, at most kMostRaw bytes

  friend bool operator==(const Observation&, const Observation&) = default;
};

}  // namespace beaconry
