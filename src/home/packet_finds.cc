#include "home/packet_finds.h"

#include <algorithm>

#include "packet/parse.h"

namespace beaconry {
namespace {

constexpr std::size_t kIpv4Header = 20, kIpv6Header = 40, kIcmpHeader = 8, kTcpHeader = 20;
constexpr std::uint8_t kEchoReply = 0, kUnreachable = 3, kEchoRequest = 8, kTimeExceeded = 11;
constexpr std::uint8_t kEchoRequest6 = 128, kEchoReply6 = 129;

std::uint16_t be16(ByteView bytes, std::size_t at) {
  return static_cast<std::uint16_t>(bytes[at] << 8 | bytes[at + 1]);
}

std::uint32_t be32(ByteView bytes, std::size_t at) {
  return static_cast<std::uint32_t>(be16(bytes, at)) << 16 | be16(bytes, at + 2);
}

// Where a packet's transport stands, as far as it could be read.
struct Layout {
  ParsedPacket parsed{};
  bool whole = false;  // parsed without complaint
  bool v4 = false;
  ByteView transport;
};

std::optional<Layout> lay_out(ByteView packet) {
  if (packet.empty()) return std::nullopt;
  Layout layout;
  layout.v4 = packet[0] >> 4 == 4;
  if (!layout.v4 && packet[0] >> 4 != 6) return std::nullopt;
  if (packet.size() < (layout.v4 ? kIpv4Header : kIpv6Header)) return std::nullopt;
  layout.whole = parse_ip(layout.v4 ? 4 : 6, packet.data(), packet.data() + packet.size(), 0,
                          &layout.parsed) == kParsed;
  const std::size_t header = layout.parsed.ip_header;
  if (header != 0 && header <= packet.size() && layout.parsed.fragment != kLaterFragment) {
    layout.transport = packet.subspan(header);
  }
  return layout;
}

bool is_icmp_error(const Layout& layout) {
  if (layout.transport.size() < kIcmpHeader) return false;
  const std::uint8_t type = layout.transport[0];
  if (layout.parsed.protocol == kProtocolIcmp) {
    return type == kUnreachable || type == 4 || type == 5 || type == kTimeExceeded || type == 12;
  }
  return layout.parsed.protocol == kProtocolIcmpv6 && type < 128;
}

// The token in the headers of a packet that an ICMP error quotes: the IP header and at least eight
// bytes. IPv6 has no identification: there the flow label's lower half stands for it.
void find_quoted_token(ByteView quoted, PacketFind& find) {
  const auto inner = lay_out(quoted);
  if (!inner || inner->transport.size() < 8) return;
  const ByteView transport = inner->transport;
  const std::uint16_t mark = inner->v4 ? be16(quoted, 4) : be16(quoted, 2);
  switch (inner->parsed.protocol) {
    case kProtocolTcp:
      find.token = BounceToken{be32(transport, 4), be16(transport, 0)};
      find.sent_as = BounceForm::syn;
      return;
    case kProtocolUdp:
      find.token = BounceToken{be32(transport, 0), mark};
      find.sent_as = BounceForm::closed_port;
      return;
    case kProtocolIcmp:
    case kProtocolIcmpv6:
      find.token = BounceToken{be32(transport, 4), mark};
      find.sent_as = BounceForm::echo;
      return;
    default:
      return;
  }
}

void find_token(const Layout& layout, PacketFind& find) {
  const ByteView transport = layout.transport;
  if (layout.parsed.protocol == kProtocolTcp) {
    if (transport.size() < kTcpHeader) return;
    const std::uint8_t flags = layout.parsed.tcp_flags;
    const bool answers_syn =
        (flags & kTcpAck) != 0 && ((flags & kTcpSyn) != 0 || (flags & kTcpRst) != 0);
    if (!answers_syn) return;
    find.token = BounceToken{be32(transport, 8) - 1, layout.parsed.destination_port};
    find.sent_as = BounceForm::syn;
    find.seen.carrier = Carrier::syn_answer;
    return;
  }
  if (!is_icmp_error(layout)) return;
  find_quoted_token(transport.subspan(kIcmpHeader), find);
  find.seen.carrier = Carrier::quoted;
}

bool begins_request(std::string_view text) {
  for (const std::string_view method :
       {"GET ", "POST ", "HEAD ", "CONNECT ", "PUT ", "OPTIONS ", "DELETE "}) {
    if (text.starts_with(method)) return true;
  }
  return false;
}

Carrier carrier_of(const Layout& layout, bool is_text, std::uint16_t dns_port) {
  const ParsedPacket& parsed = layout.parsed;
  if (is_icmp_error(layout)) return Carrier::quoted;
  const std::uint8_t reply = layout.v4 ? kEchoReply : kEchoReply6;
  const std::uint8_t icmp = layout.v4 ? kProtocolIcmp : kProtocolIcmpv6;
  if (parsed.protocol == icmp && !layout.transport.empty() && layout.transport[0] == reply) {
    return Carrier::echo_reply;
  }
  if (!is_text || !layout.whole) return is_text ? Carrier::text : Carrier::payload;
  if (parsed.destination_port == dns_port &&
      (parsed.protocol == kProtocolUdp || parsed.protocol == kProtocolTcp)) {
    return Carrier::dns_question;
  }
  if (parsed.protocol == kProtocolTcp && parsed.payload_captured > 5) {
    const ByteView payload(parsed.payload, parsed.payload_captured);
    if (payload[0] == 22 && payload[1] == 3) return Carrier::server_name;
    if (begins_request(as_text(payload))) return Carrier::http;
  }
  return Carrier::text;
}

// The name in a QUIC Initial is encrypted, with keys that anybody can derive.
std::optional<FoundPing> find_in_quic(const Layout& layout) {
  const ParsedPacket& parsed = layout.parsed;
  if (!layout.whole || parsed.protocol != kProtocolUdp || parsed.payload_captured < 5) {
    return std::nullopt;
  }
  const ByteView payload(parsed.payload, parsed.payload_captured);
  if (!looks_like_quic_initial(payload)) return std::nullopt;
  QuicInitialReader reader;
  const FoundName name = reader.add(payload);
  if (name.status != NameStatus::found) return std::nullopt;
  return find_ping(as_bytes(name.name));
}

void fill(const Layout& layout, ByteView packet, Observation& seen) {
  const auto address = [&](std::size_t v4_at, std::size_t v6_at) {
    return layout.v4 ? IpAddress::v4_bytes(&packet[v4_at]) : IpAddress::v6_bytes(&packet[v6_at]);
  };
  seen.source = address(12, 8);
  seen.destination = address(16, 24);
  seen.ttl = layout.v4 ? packet[8] : packet[7];
  seen.protocol = layout.parsed.protocol;
  if (layout.whole) {
    seen.source_port = layout.parsed.source_port;
    seen.destination_port = layout.parsed.destination_port;
  }
  const ByteView beginning = packet.first(std::min(packet.size(), Observation::kMostRaw));
  seen.raw.assign(as_text(beginning));
}

}  // namespace

std::optional<PacketFind> find_in_packet(ByteView packet, std::uint16_t dns_port) {
  const auto layout = lay_out(packet);
  if (!layout) return std::nullopt;
  PacketFind find;
  find.ping = find_ping(packet.subspan(layout->v4 ? kIpv4Header : kIpv6Header));
  if (find.ping) {
    find.seen.carrier = carrier_of(*layout, find.ping->as_text, dns_port);
  } else if ((find.ping = find_in_quic(*layout))) {
    find.seen.carrier = Carrier::server_name;
  } else {
    find_token(*layout, find);
    if (!find.token) return std::nullopt;
  }
  fill(*layout, packet, find.seen);
  const std::uint8_t request = layout->v4 ? kEchoRequest : kEchoRequest6;
  const std::uint8_t icmp = layout->v4 ? kProtocolIcmp : kProtocolIcmpv6;
  if (layout->parsed.protocol == icmp && layout->transport.size() >= kIcmpHeader &&
      layout->transport[0] == request && layout->parsed.fragment == kWhole) {
    find.echo = be32(layout->transport, 4);
  }
  return find;
}

}  // namespace beaconry
