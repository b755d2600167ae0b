#include "flow/flow_name.h"

#include <algorithm>

#include "flow/server_name.h"
#include "packet/dhcp_message.h"
#include "packet/http_request.h"
#include "packet/parse.h"
#include "packet/tls_client_hello.h"

namespace beaconry {
namespace {

constexpr std::uint16_t kDnsPort = 53;
constexpr std::size_t kLongestPending = kLongestClientHello;
// STARTTLS and the like come within a few lines; QUIC's first flight is two or three datagrams,
// each costs a decryption.
constexpr std::uint8_t kMostPayloads = 16;
constexpr std::uint8_t kMostInitials = 6;

// The message of DNS over TCP (RFC 1035 §4.2.2) at the beginning of `stream`, if whole.
ByteView dns_over_tcp(ByteView stream) {
  if (stream.size() < 2) return {};
  const std::size_t length = static_cast<std::size_t>(stream[0] << 8 | stream[1]);
  if (stream.size() < 2 + length) return {};
  return stream.subspan(2, length);
}

}  // namespace

FlowNameReader::Learnt FlowNameReader::learnt(NameKind kind, std::string_view raw) {
  const std::string_view text = normalise_server_name(raw, normalised_);
  if (text.empty()) return {};
  // Bytes that no name has: read from something that only looked like a message.
  const bool visible =
      std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c != '\x7f'; });
  if (!visible) return {};
  return {kind, text};
}

FlowNameReader::Learnt FlowNameReader::read_dns(ByteView message, const Payload& payload) {
  if (!dns_.parse(message)) return {};
  const Learnt question = learnt(NameKind::dns_domain, dns_.question());
  if (question.kind == NameKind::none) return {};
  for (std::size_t i = 0; dns_.is_response() && i < dns_.address_count(); ++i) {
    sink_.add_address_name(dns_.address(i), question.text, payload.time);
  }
  return {question.kind, registered_domain(question.text)};
}

// Reads the first message of `stream`; `wants_more` if it goes on behind its end.
FlowNameReader::Learnt FlowNameReader::read_stream(FlowName& name, ByteView stream, bool in_pieces,
                                                   bool& wants_more) {
  wants_more = false;
  if (looks_like_tls_client(stream)) {
    const FoundName found = tls_client_hello(stream, scratch_);
    wants_more = found.status == NameStatus::needs_more;
    if (found.status == NameStatus::found || found.status == NameStatus::absent) {
      name.settled = true;  // what follows is encrypted
    }
    return found.status == NameStatus::found ? learnt(NameKind::tls_sni, found.name) : Learnt{};
  }
  if (looks_like_http_request(stream)) {
    const RequestedHost request = http_request(stream);
    wants_more =
        request.host.status == NameStatus::needs_more && stream.size() < kLongestRequestHead;
    if (request.host.status != NameStatus::found) return {};
    if (request.connect) {
      name.settled = true;
      return learnt(NameKind::connect_target, request.host.name);
    }
    return learnt(NameKind::http_host, request.host.name);
  }
  wants_more = in_pieces && stream.empty();
  return {};
}

FlowNameReader::Learnt FlowNameReader::read(FlowName& name, std::uint32_t protocol,
                                            const Payload& payload) {
  Learnt learnt;
  if (protocol == kProtocolTcp) {
    learnt = read_tcp(name, payload);
  } else if (protocol == kProtocolUdp) {
    constexpr std::uint16_t kDhcpServer = 67, kDhcpClient = 68;
    const auto ports = std::minmax(payload.opener_port, payload.responder_port);
    if (ports.first == kDhcpServer && ports.second <= kDhcpClient) {
      read_dhcp(payload.bytes, payload.time);
      return {};
    }
    learnt = read_udp(name, payload);
  } else {
    name.settled = true;
  }
  if (learnt.kind < name.kind) return {};
  const bool dns = learnt.kind == NameKind::dns_domain && name.kind == NameKind::dns_domain;
  // Answers repeat the question.
  if (dns && (!payload.from_opener || learnt.text == name.text)) return {};
  return learnt;
}

void FlowNameReader::bound_pending(FlowName& name) {
  name.pending->count();
  if (pending_bytes_ <= most_pending_bytes_) return;
  name.pending.reset();
  name.settled = true;
  ++given_up_;
}

FlowNameReader::Learnt FlowNameReader::read_tcp(FlowName& name, const Payload& payload) {
  const bool dns = payload.responder_port == kDnsPort;
  if (!payload.from_opener) return dns ? read_dns(dns_over_tcp(payload.bytes), payload) : Learnt{};

  ByteView stream = payload.bytes;
  if (name.pending) {
    const std::uint32_t offset = payload.sequence - name.pending->first_sequence;
    if (offset < kLongestPending) name.pending->stream.insert(offset, payload.bytes);
    stream = name.pending->stream.contiguous();
  } else if (payload.at_start && name.looked_at == 0 && name.kind == NameKind::none &&
             payload.sequence != payload.start_sequence &&
             payload.sequence - payload.start_sequence < kLongestPending) {
    // The stream's first segment is late: wait for it.
    name.pending = std::make_unique<FlowName::Pending>(kLongestPending, pending_bytes_);
    name.pending->first_sequence = payload.start_sequence;
    name.pending->stream.insert(payload.sequence - payload.start_sequence, payload.bytes);
    bound_pending(name);
    return {};
  }

  bool wants_more = false;
  Learnt found;
  if (dns) {
    const ByteView message = dns_over_tcp(stream);
    wants_more = message.empty();
    found = read_dns(message, payload);
  } else {
    found = read_stream(name, stream, name.pending != nullptr, wants_more);
  }
  if (wants_more && ++name.looked_at < kMostPayloads) {
    if (!name.pending) {
      name.pending = std::make_unique<FlowName::Pending>(kLongestPending, pending_bytes_);
      name.pending->first_sequence = payload.sequence;
      name.pending->stream.insert(0, payload.bytes);
    }
    bound_pending(name);
    return {};
  }
  name.pending.reset();
  // A connection that began with HTTP or DNS may carry many requests; another is given up on.
  const bool many = dns || found.kind == NameKind::http_host || name.kind == NameKind::http_host;
  if (!many && ++name.looked_at >= kMostPayloads) name.settled = true;
  return found;
}

FlowNameReader::Learnt FlowNameReader::read_udp(FlowName& name, const Payload& payload) {
  if (payload.responder_port == kDnsPort) return read_dns(payload.bytes, payload);
  if (!payload.from_opener) return {};
  if (!looks_like_quic_initial(payload.bytes)) {
    if (++name.looked_at >= kMostInitials) name.settled = true;
    return {};
  }
  if (!name.pending) name.pending = std::make_unique<FlowName::Pending>(0, pending_bytes_);
  const FoundName found = name.pending->quic.add(payload.bytes);
  Learnt result;
  if (found.status == NameStatus::found) result = learnt(NameKind::tls_sni, found.name);
  const bool more = found.status == NameStatus::needs_more || found.status == NameStatus::other;
  if (!more || ++name.looked_at >= kMostInitials) {
    name.settled = true;
    name.pending.reset();
  } else {
    bound_pending(name);
  }
  return result;
}

void FlowNameReader::read_dhcp(ByteView bytes, Timestamp time) {
  const auto lease = dhcp_message(bytes);
  if (!lease) return;
  const Learnt name = learnt(NameKind::none, lease->host_name);
  if (!name.text.empty()) sink_.add_host_name(lease->address, name.text, time);
}

}  // namespace beaconry
