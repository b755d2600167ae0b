#include "source/simulate/zeek_writer.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "source/simulate/zeek_log.h"

namespace beaconry::simulate {
namespace {

constexpr Column kConnColumns[] = {
    {"ts", "time"},          {"uid", "string"},          {"id.orig_h", "addr"},
    {"id.orig_p", "port"},   {"id.resp_h", "addr"},      {"id.resp_p", "port"},
    {"proto", "enum"},       {"service", "string"},      {"duration", "interval"},
    {"orig_bytes", "count"}, {"resp_bytes", "count"},    {"conn_state", "string"},
    {"local_orig", "bool"},  {"local_resp", "bool"},     {"missed_bytes", "count"},
    {"history", "string"},   {"orig_pkts", "count"},     {"orig_ip_bytes", "count"},
    {"resp_pkts", "count"},  {"resp_ip_bytes", "count"}, {"tunnel_parents", "set[string]"}};
constexpr Column kSslColumns[] = {{"ts", "time"},
                                  {"uid", "string"},
                                  {"id.orig_h", "addr"},
                                  {"id.orig_p", "port"},
                                  {"id.resp_h", "addr"},
                                  {"id.resp_p", "port"},
                                  {"version", "string"},
                                  {"cipher", "string"},
                                  {"curve", "string"},
                                  {"server_name", "string"},
                                  {"resumed", "bool"},
                                  {"last_alert", "string"},
                                  {"next_protocol", "string"},
                                  {"established", "bool"},
                                  {"ssl_history", "string"}};
constexpr Column kHttpColumns[] = {{"ts", "time"},
                                   {"uid", "string"},
                                   {"id.orig_h", "addr"},
                                   {"id.orig_p", "port"},
                                   {"id.resp_h", "addr"},
                                   {"id.resp_p", "port"},
                                   {"trans_depth", "count"},
                                   {"method", "string"},
                                   {"host", "string"},
                                   {"uri", "string"},
                                   {"referrer", "string"},
                                   {"version", "string"},
                                   {"user_agent", "string"},
                                   {"origin", "string"},
                                   {"request_body_len", "count"},
                                   {"response_body_len", "count"},
                                   {"status_code", "count"},
                                   {"status_msg", "string"}};
constexpr Column kDnsColumns[] = {{"ts", "time"},
                                  {"uid", "string"},
                                  {"id.orig_h", "addr"},
                                  {"id.orig_p", "port"},
                                  {"id.resp_h", "addr"},
                                  {"id.resp_p", "port"},
                                  {"proto", "enum"},
                                  {"trans_id", "count"},
                                  {"rtt", "interval"},
                                  {"query", "string"},
                                  {"qclass", "count"},
                                  {"qclass_name", "string"},
                                  {"qtype", "count"},
                                  {"qtype_name", "string"},
                                  {"rcode", "count"},
                                  {"rcode_name", "string"},
                                  {"AA", "bool"},
                                  {"TC", "bool"},
                                  {"RD", "bool"},
                                  {"RA", "bool"},
                                  {"Z", "count"},
                                  {"answers", "vector[string]"},
                                  {"TTLs", "vector[interval]"},
                                  {"rejected", "bool"}};
constexpr Column kDhcpColumns[] = {{"ts", "time"},
                                   {"uids", "set[string]"},
                                   {"client_addr", "addr"},
                                   {"server_addr", "addr"},
                                   {"mac", "string"},
                                   {"host_name", "string"},
                                   {"assigned_addr", "addr"},
                                   {"lease_time", "interval"},
                                   {"msg_types", "vector[string]"}};

// The texts of addresses, made once: most of a log's time goes into them.
class AddressTexts {
 public:
  const std::string& of(const IpAddress& address) {
    Entry& entry = entries_[mix(address.low(), address.high()) % entries_.size()];
    if (entry.text.empty() || entry.address != address) {
      entry.address = address;
      entry.text = address.to_string();
    }
    return entry.text;
  }

 private:
  struct Entry {
    IpAddress address;
    std::string text;
  };
  std::vector<Entry> entries_ = std::vector<Entry>(1 << 16);
};

bool is_local(const IpAddress& address) {
  return address.is_v4() ? (address.v4_value() >> 24) == 10 : address.bytes()[0] == 0xfd;
}

const char* service_text(Service service) {
  switch (service) {
    case Service::none:
      return nullptr;
    case Service::tls:
      return "ssl";
    case Service::http:
      return "http";
    case Service::dns:
      return "dns";
    case Service::ntp:
      return "ntp";
    case Service::quic:
      return "quic,ssl";
    case Service::ssh:
      return "ssh";
    case Service::smb:
      return "gssapi,smb";
    case Service::kerberos:
      return "krb_tcp";
    case Service::ldap:
      return "ldap_tcp";
  }
  return nullptr;
}

struct Ended {
  const char* state;
  const char* history;
};

Ended ended(const SimulatedFlow& flow) {
  const bool tcp = flow.protocol == Protocol::tcp;
  if (!tcp) return flow.bytes_in > 0 ? Ended{"SF", "Dd"} : Ended{"S0", "D"};
  switch (flow.ending) {
    case Ending::finished:
      return {"SF", "ShADadFf"};
    case Ending::reset:
      return {"RSTO", "ShADadR"};
    case Ending::rejected:
      return {"REJ", "Sr"};
    case Ending::unanswered:
      return {"S0", "S"};
  }
  return {"OTH", "-"};
}

// When Zeek writes the row: once the connection is over and its timer has run out.
Timestamp written(const SimulatedFlow& flow) {
  using std::chrono::seconds;
  const auto wait = flow.protocol != Protocol::tcp                                    ? seconds{60}
                    : flow.ending == Ending::finished || flow.ending == Ending::reset ? seconds{5}
                                                                                      : seconds{6};
  return flow.time + flow.duration + wait;
}

void write_id(ZeekLog& log, AddressTexts& texts, const SimulatedFlow& flow, Timestamp time,
              const std::string& uid) {
  log.seconds(time.time_since_epoch());
  log.text(uid);
  log.text(texts.of(flow.source));
  log.count(flow.source_port);
  log.text(texts.of(flow.destination));
  log.count(flow.port);
}

void write_conn(ZeekLog& log, AddressTexts& texts, const SimulatedFlow& flow) {
  const bool tcp = flow.protocol == Protocol::tcp;
  const bool silent = flow.ending == Ending::unanswered && tcp;
  write_id(log, texts, flow, flow.time, uid_of(flow.id));
  log.text(tcp ? "tcp" : "udp");
  const char* service = service_text(flow.service);
  if (service != nullptr) {
    log.text(service);
  } else {
    log.unset();
  }
  if (silent) {
    log.unset();
    log.unset();
    log.unset();
  } else {
    log.seconds(flow.duration);
    log.count(flow.bytes_out);
    log.count(flow.bytes_in);
  }
  const Ended end = ended(flow);
  log.text(end.state);
  log.boolean(is_local(flow.source));
  log.boolean(is_local(flow.destination));
  log.count(0);
  log.text(end.history);
  const std::uint64_t header = (tcp ? 40U : 28U) + (flow.source.is_v4() ? 0U : 20U);
  std::uint64_t out_packets = (flow.bytes_out + 1459) / 1460,
                in_packets = (flow.bytes_in + 1459) / 1460;
  if (tcp) {
    const bool opened = flow.ending == Ending::finished || flow.ending == Ending::reset;
    out_packets += opened ? 3 + in_packets / 2 : 1;
    in_packets += opened ? 2 : (silent ? 0 : 1);
  }
  log.count(out_packets);
  log.count(flow.bytes_out + out_packets * header);
  log.count(in_packets);
  log.count(flow.bytes_in + in_packets * header);
  log.unset();
  log.end_row();
}

void write_ssl(ZeekLog& log, AddressTexts& texts, const Traffic& traffic,
               const SimulatedFlow& flow) {
  write_id(log, texts, flow, flow.time + std::min(flow.duration, Duration{40'000}),
           uid_of(flow.id));
  log.text("TLSv13");
  log.text("TLS_AES_128_GCM_SHA256");
  log.text("x25519");
  if (flow.name == kNoName) {
    log.unset();
  } else {
    log.text(traffic.names[flow.name]);
  }
  log.boolean(flow.id % 3 == 0);
  log.unset();
  log.text("h2");
  log.boolean(true);
  log.text("Csoxki");
  log.end_row();
}

void write_http(ZeekLog& log, AddressTexts& texts, const Traffic& traffic,
                const SimulatedFlow& flow) {
  write_id(log, texts, flow, flow.time + std::min(flow.duration, Duration{20'000}),
           uid_of(flow.id));
  log.count(1);
  const bool upload = flow.bytes_out > 2 * flow.bytes_in;
  log.text(upload ? "POST" : "GET");
  log.text(flow.name == kNoName ? std::string_view(texts.of(flow.destination))
                                : std::string_view(traffic.names[flow.name]));
  std::string path = uid_of(mix(flow.name, flow.id % 16)).substr(0, 9);
  path[0] = '/';
  log.text(path);
  log.unset();
  log.text("1.1");
  log.text("Mozilla/5.0 (Windows NT 10.0; Win64; x64)");
  log.unset();
  log.count(upload ? flow.bytes_out - flow.bytes_out / 4 : 0);
  log.count(flow.bytes_in - flow.bytes_in / 4);
  log.count(200);
  log.text("OK");
  log.end_row();
}

void write_dns(ZeekLog& log, AddressTexts& texts, const Traffic& traffic,
               const SimulatedFlow& flow) {
  write_id(log, texts, flow, flow.time, uid_of(flow.id));
  log.text("udp");
  log.count(mix(flow.id, 7) & 0xffff);
  log.seconds(flow.duration);
  log.text(traffic.names[flow.name]);
  log.count(1);
  log.text("C_INTERNET");
  const bool four = flow.answer.is_v4();
  log.count(four ? 1 : 28);
  log.text(four ? "A" : "AAAA");
  log.count(0);
  log.text("NOERROR");
  log.boolean(false);
  log.boolean(false);
  log.boolean(true);
  log.boolean(true);
  log.count(0);
  log.list(texts.of(flow.answer));
  log.list("60.000000", false);
  log.boolean(false);
  log.end_row();
}

void write_dhcp(ZeekLog& log, AddressTexts& texts, const Traffic& traffic) {
  for (const HostName& host : traffic.host_names) {
    if (!host.host.is_v4()) continue;
    const std::uint32_t address = host.host.v4_value();
    char mac[18];
    std::snprintf(mac, sizeof mac, "02:00:%02x:%02x:%02x:%02x", address >> 24,
                  (address >> 16) & 255, (address >> 8) & 255, address & 255);
    log.seconds(traffic.start.time_since_epoch());
    log.list(uid_of(mix(address)));
    log.text(texts.of(host.host));
    log.text(texts.of(traffic.dhcp_server));
    log.text(mac);
    log.text(host.name);
    log.text(texts.of(host.host));
    log.seconds(std::chrono::hours{24});
    log.list("REQUEST");
    log.end_row();
  }
}

}  // namespace

Result<void> write_zeek(const Traffic& traffic, const std::string& folder, ZeekFormat format) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return fail(ErrorKind::io, "make folder", folder, error.message());
  ZeekLog conn(folder, "conn", kConnColumns, format, traffic.start);
  ZeekLog ssl(folder, "ssl", kSslColumns, format, traffic.start);
  ZeekLog http(folder, "http", kHttpColumns, format, traffic.start);
  ZeekLog dns(folder, "dns", kDnsColumns, format, traffic.start);
  ZeekLog dhcp(folder, "dhcp", kDhcpColumns, format, traffic.start);
  AddressTexts texts;
  Timestamp last = traffic.end;

  std::vector<std::pair<Timestamp, std::uint32_t>> order;
  order.reserve(traffic.flows.size());
  for (std::size_t i = 0; i < traffic.flows.size(); ++i) {
    order.emplace_back(written(traffic.flows[i]), static_cast<std::uint32_t>(i));
  }
  std::sort(order.begin(), order.end());
  for (const auto& [time, index] : order)
    write_conn(conn, texts, traffic.flows[index]);
  if (!order.empty()) last = order.back().first;

  for (const SimulatedFlow& flow : traffic.flows) {
    if (flow.service == Service::tls) write_ssl(ssl, texts, traffic, flow);
    if (flow.service == Service::http) write_http(http, texts, traffic, flow);
    if (flow.service == Service::dns) write_dns(dns, texts, traffic, flow);
  }
  write_dhcp(dhcp, texts, traffic);
  for (ZeekLog* log : {&conn, &ssl, &http, &dns, &dhcp}) {
    if (auto closed = log->close(last); !closed) return closed;
  }
  return {};
}

}  // namespace beaconry::simulate
