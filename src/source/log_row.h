#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace beaconry {

// What a Zeek log tells of. `other` covers the kinds that hold neither flows nor names.
enum class LogKind : std::uint8_t { other, conn, open_conn, ssl, http, dns, dhcp };

constexpr bool has_flows(LogKind kind) {
  return kind == LogKind::conn || kind == LogKind::open_conn;
}

// By a log's path or the start of its file name: "conn", "conn_red", "open_conn", "http_eth0".
std::optional<LogKind> log_kind_of_path(std::string_view path);
// By the columns or keys that a log has, where nothing names its kind.
std::optional<LogKind> log_kind_of_fields(const std::vector<std::string_view>& names);

// The columns that are used, over all kinds of logs.
enum class Field : std::uint8_t {
  ts,
  uid,
  orig_h,
  orig_p,
  resp_h,
  resp_p,
  proto,
  duration,
  orig_bytes,
  resp_bytes,
  conn_state,
  history,
  orig_pkts,
  resp_pkts,
  ip_proto,
  server_name,
  trans_depth,
  method,
  host,
  uri,
  request_body_len,
  response_body_len,
  query,
  answers,
  client_addr,
  assigned_addr,
  host_name,
  client_fqdn,
  path,
  count
};
constexpr std::size_t kFields = static_cast<std::size_t>(Field::count);

// By the name in a header or key: "id.orig_h" and "id_orig_h" alike.
std::optional<Field> field_of_name(std::string_view name);
std::string_view name_of_field(Field field);  // as Zeek writes it: "id.orig_h"

// One line of a log, TSV or JSON: views into the line. What is unset or empty is an empty view.
struct LogRow {
  std::array<std::string_view, kFields> values;
  std::vector<std::string_view> answers;  // of the field `answers`

  std::string_view& operator[](Field field) { return values[static_cast<std::size_t>(field)]; }
  std::string_view operator[](Field field) const { return values[static_cast<std::size_t>(field)]; }
  void clear() {
    values.fill({});
    answers.clear();
  }
};

}  // namespace beaconry
