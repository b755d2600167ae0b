#include "escape/packet_forms.h"

#include <chrono>

#include "packet/parse.h"

namespace beaconry {
namespace {

std::uint8_t protocol_of(Form form, bool v4) {
  switch (form) {
    case Form::udp:
      return kProtocolUdp;
    case Form::tcp_syn:
      return kProtocolTcp;
    case Form::echo:
      break;
  }
  return v4 ? kProtocolIcmp : kProtocolIcmpv6;
}

Bytes transport(Form form, const FormFields& f, ByteView data) {
  switch (form) {
    case Form::udp:
      return udp(f.source, f.destination, f.source_port, f.port, data);
    case Form::tcp_syn: {
      TcpHeader header;
      header.source_port = f.source_port;
      header.destination_port = f.port;
      header.sequence = f.word;
      header.flags = kTcpSyn;
      header.most_segment = static_cast<std::uint16_t>(f.destination.is_v4() ? 1460 : 1440);
      return tcp(f.source, f.destination, header, data);
    }
    case Form::echo:
      break;
  }
  return f.destination.is_v4() ? icmp(8, 0, f.word, data)
                               : icmpv6(f.source, f.destination, 128, 0, f.word, data);
}

}  // namespace

Bytes form_packet(Form form, const FormFields& f, ByteView data) {
  const bool v4 = f.destination.is_v4();
  Bytes packet = ip(f.source, f.destination, protocol_of(form, v4), transport(form, f, data), f.ttl,
                    v4 ? f.mark : std::uint16_t{0});
  if (!v4) {  // the flow label's lower 16 bits; no checksum covers it
    packet[2] = static_cast<std::uint8_t>(f.mark >> 8);
    packet[3] = static_cast<std::uint8_t>(f.mark);
  }
  return packet;
}

FormFields fresh_fields(Wire& wire, Form form, const IpAddress& source,
                        const IpAddress& destination, std::uint16_t port) {
  FormFields fields;
  fields.source = source;
  fields.destination = destination;
  if (form != Form::echo) {
    fields.source_port = wire.claim_port(form == Form::udp ? kProtocolUdp : kProtocolTcp);
    fields.port = port;
  }
  fields.word = wire.random();
  fields.mark = static_cast<std::uint16_t>(wire.random());
  return fields;
}

Bytes token_packet(Wire& wire, BounceForm bounce, Form form, const IpAddress& home,
                   const IpAddress& destination, const IpAddress& neighbour, std::uint16_t port,
                   std::uint8_t ttl, ByteView data) {
  const auto hour = std::chrono::floor<std::chrono::hours>(wire.now().time_since_epoch()).count();
  const BounceToken token =
      bounce_token(wire.key(), static_cast<std::int64_t>(hour), bounce, neighbour.bytes().back());
  FormFields fields;
  fields.source = home;
  fields.destination = destination;
  fields.ttl = ttl;
  fields.word = token.word;
  if (form == Form::tcp_syn) {
    fields.source_port = token.half;
    fields.port = port;
    fields.mark = static_cast<std::uint16_t>(wire.random());
  } else {
    fields.source_port = static_cast<std::uint16_t>(token.word >> 16);
    fields.port = static_cast<std::uint16_t>(token.word);
    fields.mark = token.half;
  }
  return form_packet(form, fields, data);
}

}  // namespace beaconry
