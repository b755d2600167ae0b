#include "source/zeek_rows.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "flow/server_name.h"

namespace beaconry {
namespace {

constexpr std::uint16_t kDnsPort = 53;

std::optional<std::uint16_t> parse_port(std::string_view text) {
  if (text.empty() || text.size() > 5) return std::nullopt;
  std::uint32_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<std::uint32_t>(c - '0');
  }
  if (value > 65'535) return std::nullopt;
  return static_cast<std::uint16_t>(value);
}

std::uint64_t parse_bytes(std::string_view text) {
  if (text.empty()) return kUnknownBytes;
  return parse_unsigned(text).value_or(kUnknownBytes);
}

Duration parse_length(std::string_view text) {
  if (text.empty()) return Duration{0};
  if (const auto since = parse_epoch_seconds(text)) return since->time_since_epoch();
  const auto seconds = parse_number(text).value_or(0);  // exponents in JSON
  if (!(seconds > 0) || seconds > to_seconds(kLatest)) return Duration{0};
  return Duration{std::llround(seconds * 1e6)};
}

std::optional<Protocol> protocol_of(const LogRow& row, const IpAddress& source) {
  const std::string_view text = row[Field::proto];
  if (text == "tcp") return Protocol::tcp;
  if (text == "udp") return Protocol::udp;
  if (text == "icmp") return source.is_v4() ? Protocol::icmp : Protocol::icmpv6;
  if (text == "unknown_transport" || text == "unknown") {
    const auto number = parse_unsigned(row[Field::ip_proto]).value_or(0);
    return static_cast<Protocol>(number > 255 ? 0 : number);
  }
  return parse_protocol(text);
}

// Addresses, ports and time, which every kind but dhcp has.
BadLine read_flow(const LogRow& row, FlowEvent& event) {
  const auto time = parse_log_time(row[Field::ts]);
  if (!time) return BadLine::bad_time;
  const auto source = IpAddress::parse(row[Field::orig_h]);
  const auto destination = IpAddress::parse(row[Field::resp_h]);
  if (!source || !destination) return BadLine::bad_address;
  const auto port = parse_port(row[Field::resp_p]);
  if (!port) return BadLine::bad_port;
  const std::string_view source_port = row[Field::orig_p];
  const auto from = source_port.empty() ? std::uint16_t{0} : parse_port(source_port);
  if (!from) return BadLine::bad_port;
  event.time = *time;
  event.pair.source = *source;
  event.pair.destination = *destination;
  event.pair.port = *port;
  event.source_port = *from;
  return BadLine::none;
}

// Zeek's history: upper case for what the originator did, lower case for the responder; 'C' and 'c'
// stand for packets with a bad checksum, which Zeek then ignores: not their bytes, nor mostly their
// packets are counted. (docs.zeek.org, conn.log, history.)
struct Seen {
  bool ignored = false;  // a packet of this end had a bad checksum
  bool active = false;   // anything else that this end did
};
std::pair<Seen, Seen> read_history(std::string_view history) {
  std::pair<Seen, Seen> seen;
  for (const char c : history) {
    if (c >= 'A' && c <= 'Z') (c == 'C' ? seen.first.ignored : seen.first.active) = true;
    if (c >= 'a' && c <= 'z') (c == 'c' ? seen.second.ignored : seen.second.active) = true;
  }
  return seen;
}

// A zero is a count only if the capture could see that end. It could not
// - if packets of that end had bad checksums (offloading on the captured machine), or
// - if nothing of that end was seen at all although the other end's part is impossible without it:
//   an originator is always first to send, and TCP data flows only after both ends spoke. An
//   unanswered SYN or UDP request is no such case: there zero is zero.
void forget_unseen_zeros(const LogRow& row, FlowEvent& event) {
  if (event.bytes_out != 0 && event.bytes_in != 0) return;
  const auto seen = read_history(row[Field::history]);
  const auto silent = [&](Field packets, const Seen& end) {
    const auto count = row[packets];
    return count.empty() ? !end.active && !end.ignored && !row[Field::history].empty()
                         : count == "0";
  };
  const bool out_silent = silent(Field::orig_pkts, seen.first);
  const bool in_silent = silent(Field::resp_pkts, seen.second);
  const bool out_sent_data = event.bytes_out != kUnknownBytes && event.bytes_out > 0;
  if (event.bytes_out == 0 && (seen.first.ignored || (out_silent && !in_silent))) {
    event.bytes_out = kUnknownBytes;
  }
  if (event.bytes_in == 0 && (seen.second.ignored || (event.pair.protocol == Protocol::tcp &&
                                                      in_silent && out_sent_data))) {
    event.bytes_in = kUnknownBytes;
  }
}

// TCP without a handshake in its record was joined in its middle: Zeek takes the first end that it
// sees for the originator, unless it already turned the flow round ('^').
bool seen_from_middle(const LogRow& row, const FlowEvent& event) {
  if (event.pair.protocol != Protocol::tcp) return false;
  const std::string_view state = row[Field::conn_state], history = row[Field::history];
  if (!(state == "OTH" || (state.empty() && !history.empty()))) return false;
  return history.find_first_of("^SsHh") == std::string_view::npos;
}

}  // namespace

std::optional<Timestamp> parse_log_time(std::string_view text) {
  if (const auto time = parse_epoch_seconds(text)) return time;
  if (text.size() == 13) {  // milliseconds: as seconds they'd be after the year 30000
    const auto milliseconds = parse_unsigned(text);
    if (!milliseconds) return std::nullopt;
    const Timestamp time{std::chrono::milliseconds{*milliseconds}};
    return time > kLatest ? std::nullopt : std::optional(time);
  }
  if (text.size() > 10 && text[4] == '-') return parse_rfc3339(text);
  const auto seconds = parse_number(text);  // an exponent in JSON
  if (!seconds || *seconds < 0 || *seconds > to_seconds(kLatest)) return std::nullopt;
  return Timestamp{Duration{std::llround(*seconds * 1e6)}};
}

BadLine ZeekRows::add(LogKind kind, const LogRow& row) {
  switch (kind) {
    case LogKind::conn:
    case LogKind::open_conn:
      return add_conn(row, kind == LogKind::open_conn);
    case LogKind::ssl:
    case LogKind::http:
    case LogKind::dns:
      return add_name(row, kind);
    case LogKind::dhcp:
      return add_dhcp(row);
    case LogKind::other:
      break;
  }
  return BadLine::none;  // not needed
}

BadLine ZeekRows::add_conn(const LogRow& row, bool open) {
  FlowEvent event;
  if (const auto bad = read_flow(row, event); bad != BadLine::none) return bad;
  const auto protocol = protocol_of(row, event.pair.source);
  if (!protocol) return BadLine::bad_protocol;
  event.pair.protocol = *protocol;
  event.duration = parse_length(row[Field::duration]);
  event.bytes_out = parse_bytes(row[Field::orig_bytes]);
  event.bytes_in = parse_bytes(row[Field::resp_bytes]);
  event.id = row[Field::uid];
  forget_unseen_zeros(row, event);
  if (*protocol == Protocol::icmp || *protocol == Protocol::icmpv6) {
    event.pair.port = event.source_port = 0;  // Zeek's ports of ICMP are its type and code
  } else if (seen_from_middle(row, event) &&
             !first_end_opened(networks_, event.pair.source, event.source_port,
                               event.pair.destination, event.pair.port)) {
    std::swap(event.pair.source, event.pair.destination);
    std::swap(event.source_port, event.pair.port);
    std::swap(event.bytes_out, event.bytes_in);
  }
  if (open && join_.live) {
    const auto known = join_.names.find(FlowNames::hash(event.id));
    event.kind = FlowEventKind::alive;
    event.begins_check_in = false;
    event.name_kind = known.kind;
    event.server_name = known.name;
    sink_.add(event);
    return BadLine::none;
  }
  const bool joins = !join_.names.empty() || open || !join_.open.empty();
  if (!joins || event.id.empty()) {
    event.kind = open ? FlowEventKind::alive : FlowEventKind::close;
    sink_.add(event);
    ++flows_;
    return BadLine::none;
  }
  const auto id = FlowNames::hash(event.id);
  if (open) {
    event.kind = FlowEventKind::alive;
    return join_.open.add(id, event) ? BadLine::none : BadLine::memory_limit;
  }
  if (!join_.open.empty()) join_.open.finished(id);
  const auto known = join_.names.find(id);
  event.name_kind = known.kind;
  event.server_name = known.name;
  subtract_bursts(known, event);
  sink_.add(event);
  ++flows_;
  return BadLine::none;
}

std::pair<NameKind, std::string_view> ZeekRows::name_of(const LogRow& row, LogKind kind,
                                                        std::uint16_t port) {
  NameKind name_kind = NameKind::tls_sni;
  std::string_view text = row[Field::server_name];
  if (kind == LogKind::http) {
    name_kind = NameKind::http_host;
    text = row[Field::host];
    if (row[Field::method] == "CONNECT") {
      name_kind = NameKind::connect_target;
      if (!row[Field::uri].empty()) text = row[Field::uri];
    }
  } else if (kind == LogKind::dns) {
    if (port != kDnsPort) return {NameKind::none, {}};  // mDNS, LLMNR, NetBIOS ask neighbours
    name_kind = NameKind::dns_domain;
    text = row[Field::query];
  }
  const std::string_view name = normalise_server_name(text, name_buffer_);
  if (name.empty()) return {NameKind::none, {}};
  return {name_kind, kind == LogKind::dns ? registered_domain(name) : name};
}

BadLine ZeekRows::add_name(const LogRow& row, LogKind kind) {
  FlowEvent event;
  if (const auto bad = read_flow(row, event); bad != BadLine::none) return bad;
  event.pair.protocol = row[Field::proto] == "udp" ? Protocol::udp : Protocol::tcp;
  event.id = row[Field::uid];
  const auto named = name_of(row, kind, event.pair.port);
  event.name_kind = named.first;
  event.server_name = named.second;
  if (event.server_name.find('\0') != std::string_view::npos) return BadLine::nul_byte;

  if (kind == LogKind::dns && event.pair.port == kDnsPort && !row.answers.empty()) {
    std::string query_buffer;
    const auto query = normalise_server_name(row[Field::query], query_buffer);
    for (const auto answer : row.answers) {
      const auto address = query.empty() ? std::nullopt : IpAddress::parse(answer);
      if (address) sink_.add_address_name(*address, query, event.time);
    }
  }
  // Neighbours' chatter is no activity that a flow's log lacks.
  if (kind == LogKind::dns && event.pair.port != kDnsPort && !join_.standalone) {
    return BadLine::none;
  }
  const std::uint64_t depth = parse_unsigned(row[Field::trans_depth]).value_or(0);
  bool activity = false, first = event.id.empty();
  auto result = BadLine::none;
  if (!event.id.empty()) {
    const auto learnt = join_.names.learn(FlowNames::hash(event.id), event.name_kind,
                                          event.server_name, event.time);
    if (learnt == FlowNames::Learnt::full) result = BadLine::memory_limit;
    first = learnt == FlowNames::Learnt::first;
    // The first row of a flow is its beginning, which the conn log reports; a flow whose first
    // request is not the first of its connection began in an earlier log.
    activity = (learnt == FlowNames::Learnt::activity && kind != LogKind::ssl && depth != 1) ||
               (first && depth > 1);
  }
  const bool stands_for_flow = join_.standalone && first;
  if (!activity && !stands_for_flow) return result;
  if (kind == LogKind::http) {
    event.bytes_out = parse_bytes(row[Field::request_body_len]);
    event.bytes_in = parse_bytes(row[Field::response_body_len]);
  }
  event.kind = stands_for_flow ? FlowEventKind::open : FlowEventKind::burst;
  if (!stands_for_flow) {
    join_.names.count_burst(FlowNames::hash(event.id), event.bytes_out, event.bytes_in);
  } else {
    ++flows_;
  }
  sink_.add(event);
  return result;
}

BadLine ZeekRows::add_dhcp(const LogRow& row) {
  std::string_view name = row[Field::host_name];
  if (name.empty()) name = row[Field::client_fqdn];
  if (name.empty()) return BadLine::none;
  if (name.find('\0') != std::string_view::npos) return BadLine::nul_byte;
  // Until Zeek 2.6 the log had ids and assigned_ip, since then client_addr and assigned_addr.
  const auto time = parse_log_time(row[Field::ts]);
  if (!time) return BadLine::bad_time;
  for (const Field field : {Field::assigned_addr, Field::client_addr, Field::orig_h}) {
    const auto address = IpAddress::parse(row[field]);
    if (!address || address->is_unspecified()) continue;
    sink_.add_host_name(*address, name.substr(0, kLongestServerName), *time);
    return BadLine::none;
  }
  return BadLine::none;  // a request that nobody answered
}

}  // namespace beaconry
