#include "accuracy/connection_list.h"

#include <algorithm>

namespace beaconry::accuracy {
namespace {

double known(std::uint64_t bytes) {
  return bytes == kUnknownBytes ? 0 : static_cast<double>(bytes);
}

}  // namespace

void ConnectionList::add(const FlowEvent& event) {
  // Activity inside a connection, and its end, are no connections of their own.
  if (event.kind == FlowEventKind::burst || event.kind == FlowEventKind::alive ||
      event.kind == FlowEventKind::named) {
    return;
  }
  if (event.kind == FlowEventKind::close && !event.begins_check_in) return;
  Connection connection;
  connection.pair = event.pair;
  connection.time = to_seconds(event.time);
  const double out = known(event.bytes_out), in = known(event.bytes_in);
  connection.bytes = out + in;
  const double packets = out / 1460 + (event.pair.protocol == Protocol::tcp ? 4 + in / 2920 : 1);
  connection.out_ip_bytes = out + 40 * packets;
  if (event.name_kind == NameKind::tls_sni || event.name_kind == NameKind::http_host) {
    const auto [at, is_new] = name_ids_.try_emplace(std::string(event.server_name),
                                                    static_cast<std::uint32_t>(names_.size()));
    if (is_new) names_.emplace_back(event.server_name);
    connection.name = at->second;
  }
  newest_ = std::max(newest_, connection.time);
  connections_.push_back(connection);
}

}  // namespace beaconry::accuracy
