#pragma once
#include <cstdint>

#include "escape/method.h"
#include "packet/craft.h"

namespace beaconry {

// The three packets that filters treat most differently, and that most methods therefore carry
// their pings in. The numbers are variants of methods: they stay.
enum class Form : std::uint8_t { udp = 0, tcp_syn = 1, echo = 2 };

struct FormFields {
  IpAddress source, destination;            // of one family
  std::uint16_t source_port = 0, port = 0;  // none of an echo
  std::uint32_t word = 0;  // TCP's sequence number, an echo's identifier and number
  std::uint16_t mark = 0;  // IPv4's identification, IPv6's flow label
  std::uint8_t ttl = 64;
};
// An IP packet with this as its data.
Bytes form_packet(Form form, const FormFields& fields, ByteView data);
// One whose answers may come back to us: a port of ours, and otherwise random numbers.
FormFields fresh_fields(Wire& wire, Form form, const IpAddress& source,
                        const IpAddress& destination, std::uint16_t port);

// With the try's token in its headers, as ping/seal.h places it: for a packet whose source is home,
// sent to or through `neighbour`. `port` is that of a TCP SYN; the token is the ports of UDP.
Bytes token_packet(Wire& wire, BounceForm bounce, Form form, const IpAddress& home,
                   const IpAddress& destination, const IpAddress& neighbour, std::uint16_t port,
                   std::uint8_t ttl, ByteView data);

}  // namespace beaconry
