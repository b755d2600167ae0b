#include "source/suricata.h"

#include <optional>
#include <utility>

#include "base/text.h"
#include "flow/server_name.h"

namespace beaconry {
namespace {

constexpr std::uint16_t kDnsPort = 53;

std::optional<Protocol> protocol_of(std::string_view text) {
  if (text == "IPv6-ICMP") return Protocol::icmpv6;
  return parse_protocol(text);
}

bool is_icmp(Protocol protocol) {
  return protocol == Protocol::icmp || protocol == Protocol::icmpv6;
}

// Time, addresses, ports and protocol, which every record but dhcp's needs.
BadLine read_flow(const JsonRecord& record, std::string_view time_text, FlowEvent& event) {
  if (time_text.empty()) return BadLine::no_ts;
  const auto time = parse_rfc3339(time_text);
  if (!time) return BadLine::bad_time;
  const auto source_text = record.find("src_ip"), destination_text = record.find("dest_ip");
  if (source_text.empty()) return BadLine::no_orig_h;
  if (destination_text.empty()) return BadLine::no_resp_h;
  const auto source = IpAddress::parse(source_text);
  const auto destination = IpAddress::parse(destination_text);
  if (!source || !destination) return BadLine::bad_address;
  if (record.find("proto").empty()) return BadLine::no_proto;
  const auto protocol = protocol_of(record.find("proto"));
  if (!protocol) return BadLine::bad_protocol;
  // Protocols without ports have none in the record.
  const auto from = record.find("src_port"), to = record.find("dest_port");
  const auto source_port = from.empty() ? 0 : parse_unsigned(from).value_or(65'536);
  const auto port = to.empty() ? 0 : parse_unsigned(to).value_or(65'536);
  if (source_port > 65'535 || port > 65'535) return BadLine::bad_port;
  event.time = *time;
  event.pair.source = *source;
  event.pair.destination = *destination;
  event.pair.protocol = *protocol;
  if (!is_icmp(*protocol)) {
    event.pair.port = static_cast<std::uint16_t>(port);
    event.source_port = static_cast<std::uint16_t>(source_port);
  }
  event.id = record.find("flow_id");
  return BadLine::none;
}

std::uint64_t bytes_of(std::string_view text) {
  return text.empty() ? kUnknownBytes : parse_unsigned(text).value_or(kUnknownBytes);
}

}  // namespace

EveKind SuricataRows::kind_of(const JsonRecord& record) {
  const auto type = record.find("event_type");
  if (type == "flow") return EveKind::flow;
  if (type == "http") return EveKind::http;
  if (type == "tls") return EveKind::tls;
  if (type == "quic") return EveKind::quic;
  if (type == "dns") return EveKind::dns;
  if (type == "dhcp") return EveKind::dhcp;
  return EveKind::other;
}

BadLine SuricataRows::add(EveKind kind, const JsonRecord& record) {
  switch (kind) {
    case EveKind::flow:
      return add_flow(record);
    case EveKind::http:
      return add_http(record);
    case EveKind::dns:
      return add_dns(record);
    case EveKind::dhcp:
      return add_dhcp(record);
    case EveKind::tls:
    case EveKind::quic: {
      FlowEvent event;
      const auto bad = read_flow(record, record.find("timestamp"), event);
      if (bad != BadLine::none) return bad;
      const auto sni = record.find(kind == EveKind::tls ? "tls" : "quic", "sni");
      return learn(event, NameKind::tls_sni, normalise_server_name(sni, name_buffer_), "0");
    }
    case EveKind::other:
      break;
  }
  return BadLine::none;
}

BadLine SuricataRows::add_flow(const JsonRecord& record) {
  auto start = record.find("flow", "start");
  if (start.empty()) start = record.find("timestamp");
  FlowEvent event;
  if (const auto bad = read_flow(record, start, event); bad != BadLine::none) return bad;
  const auto end = parse_rfc3339(record.find("flow", "end"));
  if (end && *end > event.time) event.duration = *end - event.time;
  event.bytes_out = bytes_of(record.find("flow", "bytes_toserver"));
  event.bytes_in = bytes_of(record.find("flow", "bytes_toclient"));
  if (!event.id.empty() && !join_.names.empty()) {
    const auto known = join_.names.find(FlowNames::hash(event.id));
    event.name_kind = known.kind;
    event.server_name = known.name;
    subtract_bursts(known, event);
  }
  sink_.add(event);
  ++flows_;
  return BadLine::none;
}

// Keeps a flow's name. A later transaction of the flow is a burst, as in Zeek's logs; `transaction`
// counts from "0" and may be empty.
BadLine SuricataRows::learn(FlowEvent event, NameKind kind, std::string_view name,
                            std::string_view transaction) {
  if (name.find('\0') != std::string_view::npos) return BadLine::nul_byte;
  if (event.id.empty()) return BadLine::none;
  event.name_kind = name.empty() ? NameKind::none : kind;
  event.server_name = name;
  const auto id = FlowNames::hash(event.id);
  const auto learnt = join_.names.learn(id, event.name_kind, name, event.time);
  if (learnt == FlowNames::Learnt::full) return BadLine::memory_limit;
  const bool later = transaction.empty() ? learnt == FlowNames::Learnt::activity
                                         : transaction != "0" && learnt != FlowNames::Learnt::same;
  if (later) {
    event.kind = FlowEventKind::burst;
    join_.names.count_burst(id, event.bytes_out, event.bytes_in);
    sink_.add(event);
  }
  return BadLine::none;
}

BadLine SuricataRows::add_http(const JsonRecord& record) {
  FlowEvent event;
  const auto bad = read_flow(record, record.find("timestamp"), event);
  if (bad != BadLine::none) return bad;
  auto kind = NameKind::http_host;
  auto text = record.find("http", "hostname");
  if (record.find("http", "http_method") == "CONNECT") {
    kind = NameKind::connect_target;
    if (const auto url = record.find("http", "url"); !url.empty()) text = url;
  }
  event.bytes_in = bytes_of(record.find("http", "length"));
  return learn(event, kind, normalise_server_name(text, name_buffer_), record.find("tx_id"));
}

// Three shapes: version 1 has a record a query and a record an answer (rrname, rdata), version 2
// has answers[] and grouped{}, version 3 has queries[] too and calls the types request and
// response.
BadLine SuricataRows::add_dns(const JsonRecord& record) {
  FlowEvent event;
  const auto bad = read_flow(record, record.find("timestamp"), event);
  if (bad != BadLine::none) return bad;
  const bool reversed = event.source_port == kDnsPort && event.pair.port != kDnsPort;
  if (!reversed && event.pair.port != kDnsPort) return BadLine::none;  // mDNS asks neighbours
  std::string_view query = record.find("dns", "rrname");
  if (query.empty()) query = record.find_deep("queries", "rrname");
  const auto type = record.find("dns", "type");
  const auto name = normalise_server_name(query, name_buffer_);
  if (name.find('\0') != std::string_view::npos) return BadLine::nul_byte;
  if (type == "query" || type == "request") {
    return learn(event, NameKind::dns_domain, registered_domain(name), record.find("dns", "tx_id"));
  }
  if (name.empty()) return BadLine::none;
  for (const auto& member : record.members()) {
    const bool answer =
        (member.key == "rdata" && (member.parent == "dns" || member.parent == "answers")) ||
        (member.parent == "grouped" && (member.key == "A" || member.key == "AAAA"));
    const auto address = answer ? IpAddress::parse(member.value) : std::nullopt;
    if (address) sink_.add_address_name(*address, name, event.time);
  }
  return BadLine::none;
}

BadLine SuricataRows::add_dhcp(const JsonRecord& record) {
  const auto name = record.find("dhcp", "hostname");
  if (name.empty()) return BadLine::none;
  if (name.find('\0') != std::string_view::npos) return BadLine::nul_byte;
  const auto time = parse_rfc3339(record.find("timestamp"));
  if (!time) return BadLine::bad_time;
  for (const char* key : {"assigned_ip", "client_ip", "requested_ip"}) {
    const auto address = IpAddress::parse(record.find("dhcp", key));
    if (!address || address->is_unspecified()) continue;
    sink_.add_host_name(*address, name.substr(0, kLongestServerName), *time);
    break;
  }
  return BadLine::none;
}

}  // namespace beaconry
