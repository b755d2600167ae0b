#include "source/log_row.h"

#include <algorithm>
#include <array>
#include <iterator>

namespace beaconry {
namespace {

struct NamedField {
  std::string_view name;
  Field field;
};

// Of a field with several names the first is the one for messages.
constexpr NamedField kNames[] = {
    {"ts", Field::ts},
    {"uid", Field::uid},
    {"id.orig_h", Field::orig_h},
    {"id.orig_p", Field::orig_p},
    {"id.resp_h", Field::resp_h},
    {"id.resp_p", Field::resp_p},
    {"id_orig_h", Field::orig_h},
    {"id_orig_p", Field::orig_p},
    {"id_resp_h", Field::resp_h},
    {"id_resp_p", Field::resp_p},
    {"proto", Field::proto},
    {"duration", Field::duration},
    {"orig_bytes", Field::orig_bytes},
    {"resp_bytes", Field::resp_bytes},
    {"conn_state", Field::conn_state},
    {"history", Field::history},
    {"orig_pkts", Field::orig_pkts},
    {"resp_pkts", Field::resp_pkts},
    {"ip_proto", Field::ip_proto},
    {"server_name", Field::server_name},
    {"trans_depth", Field::trans_depth},
    {"method", Field::method},
    {"host", Field::host},
    {"uri", Field::uri},
    {"request_body_len", Field::request_body_len},
    {"response_body_len", Field::response_body_len},
    {"query", Field::query},
    {"answers", Field::answers},
    {"client_addr", Field::client_addr},
    {"assigned_addr", Field::assigned_addr},
    {"assigned_ip", Field::assigned_addr},
    {"host_name", Field::host_name},
    {"client_fqdn", Field::client_fqdn},
    {"_path", Field::path},
    {"@stream", Field::path},
};
constexpr std::size_t kNameCount = std::size(kNames);

// Every key of every JSON line is looked up: by a hash of its length and three of its characters,
// in a table of open addresses that is made at compile time.
constexpr std::size_t kSlots = 128;
constexpr std::size_t slot_of(std::string_view name) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(name[i]); };
  return (name.size() * 31 + at(0) * 7 + at(name.size() / 2) * 13 + at(name.size() - 1) * 3) %
         kSlots;
}
constexpr std::array<std::uint8_t, kSlots> make_slots() {
  std::array<std::uint8_t, kSlots> slots{};  // index into kNames plus 1
  for (std::size_t i = 0; i < kNameCount; ++i) {
    std::size_t slot = slot_of(kNames[i].name);
    while (slots[slot] != 0)
      slot = (slot + 1) % kSlots;
    slots[slot] = static_cast<std::uint8_t>(i + 1);
  }
  return slots;
}
constexpr auto kSlotOf = make_slots();

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
  if (name.empty()) return std::nullopt;
  for (std::size_t slot = slot_of(name); kSlotOf[slot] != 0; slot = (slot + 1) % kSlots) {
    const auto& named = kNames[kSlotOf[slot] - 1U];
    if (named.name == name) return named.field;
  }
  return std::nullopt;
}

std::string_view name_of_field(Field field) {
  for (const auto& named : kNames) {
    if (named.field == field) return named.name;
  }
  return {};
}

}  // namespace beaconry
