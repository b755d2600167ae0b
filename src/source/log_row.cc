#include "source/log_row.h"

#include <algorithm>
#include <utility>

namespace beaconry {
namespace {

struct NamedField {
  std::string_view name;
  Field field;
};

// Sorted by name for the search; of a field with several names the first is the one for messages.
constexpr NamedField kNames[] = {
    {"@stream", Field::path},
    {"_path", Field::path},
    {"answers", Field::answers},
    {"assigned_addr", Field::assigned_addr},
    {"assigned_ip", Field::assigned_addr},
    {"client_addr", Field::client_addr},
    {"client_fqdn", Field::client_fqdn},
    {"conn_state", Field::conn_state},
    {"duration", Field::duration},
    {"history", Field::history},
    {"host", Field::host},
    {"host_name", Field::host_name},
    {"id.orig_h", Field::orig_h},
    {"id.orig_p", Field::orig_p},
    {"id.resp_h", Field::resp_h},
    {"id.resp_p", Field::resp_p},
    {"id_orig_h", Field::orig_h},
    {"id_orig_p", Field::orig_p},
    {"id_resp_h", Field::resp_h},
    {"id_resp_p", Field::resp_p},
    {"ip_proto", Field::ip_proto},
    {"method", Field::method},
    {"orig_bytes", Field::orig_bytes},
    {"orig_pkts", Field::orig_pkts},
    {"proto", Field::proto},
    {"query", Field::query},
    {"request_body_len", Field::request_body_len},
    {"resp_bytes", Field::resp_bytes},
    {"resp_pkts", Field::resp_pkts},
    {"response_body_len", Field::response_body_len},
    {"server_name", Field::server_name},
    {"trans_depth", Field::trans_depth},
    {"ts", Field::ts},
    {"uid", Field::uid},
    {"uri", Field::uri},
};

struct NamedKind {
  std::string_view name;
  LogKind kind;
};
constexpr NamedKind kKinds[] = {
    {"open_conn", LogKind::open_conn},
    {"conn_long", LogKind::open_conn},
    {"conn-long", LogKind::open_conn},
    {"conn", LogKind::conn},
    {"ssl", LogKind::ssl},
    {"http", LogKind::http},
    {"dns", LogKind::dns},
    {"dhcp", LogKind::dhcp},
};

}  // namespace

std::optional<LogKind> log_kind_of_path(std::string_view path) {
  for (const auto& known : kKinds) {
    if (path.substr(0, known.name.size()) != known.name) continue;
    const std::string_view rest = path.substr(known.name.size());
    // "conn_red", "http_eth0" and rotated names are of the kind, "connections" is not.
    if (rest.empty() || rest[0] == '_' || rest[0] == '.' || rest[0] == '-') return known.kind;
  }
  return std::nullopt;
}

std::optional<LogKind> log_kind_of_fields(const std::vector<std::string_view>& names) {
  const auto has = [&](std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  if (has("conn_state") || has("orig_bytes") || has("history")) return LogKind::conn;
  if (has("trans_depth") || (has("host") && has("uri"))) return LogKind::http;
  if (has("query") && (has("qtype") || has("rcode") || has("trans_id"))) return LogKind::dns;
  if (has("server_name") || has("cipher")) return LogKind::ssl;
  if (has("assigned_addr") || has("assigned_ip") || has("client_addr")) return LogKind::dhcp;
  return std::nullopt;
}

std::optional<Field> field_of_name(std::string_view name) {
  const auto found =
      std::lower_bound(std::begin(kNames), std::end(kNames), name,
                       [](const NamedField& a, std::string_view b) { return a.name < b; });
  if (found == std::end(kNames) || found->name != name) return std::nullopt;
  return found->field;
}

std::string_view name_of_field(Field field) {
  for (const auto& named : kNames) {
    if (named.field == field) return named.name;
  }
  return {};
}

}  // namespace beaconry
