#include "server/json_rows.h"
#include "server/views.h"

// The server's lists as CSV.
namespace beaconry {

Result<std::string> beacons_csv(std::string_view text) {
  return from(text, [](const Json& json) {
    return csv_of(list_at(json, "beacons"),
                  {{"score", "combined_score"},
                   {"severity", "confidence"},
                   {"src_ip", "src_ip"},
                   {"dst_ip", "dst_ip"},
                   {"dst_name", "dst_name"},
                   {"dst_port", "dst_port"},
                   {"protocol", "protocol"},
                   {"connection_count", "connection_count"},
                   {"interval_seconds", "explanation.detected_interval_seconds"},
                   {"cv_score", "cv_score"},
                   {"periodicity_score", "periodicity_score"},
                   {"jitter_score", "jitter_score"},
                   {"size_score", "size_score"},
                   {"first_seen", "first_seen"},
                   {"last_seen", "last_seen"},
                   {"pair_key", "pair_key"},
                   {"identity", "identity"},
                   {"ours", "ours"}});
  });
}

Result<std::string> long_connections_csv(std::string_view text) {
  return from(text, [](const Json& json) {
    return csv_of(list_at(json, "connections"), {{"duration_seconds", "duration_seconds"},
                                                 {"src_ip", "src_ip"},
                                                 {"src_port", "src_port"},
                                                 {"dst_ip", "dst_ip"},
                                                 {"dst_name", "server_name"},
                                                 {"dst_port", "dst_port"},
                                                 {"protocol", "protocol"},
                                                 {"bytes_out", "bytes_out"},
                                                 {"bytes_in", "bytes_in"},
                                                 {"first_seen", "first_seen"},
                                                 {"last_seen", "last_seen"},
                                                 {"pair_key", "pair_key"}});
  });
}

Result<std::string> connections_csv(std::string_view text) {
  return from(text, [](const Json& json) {
    return csv_of(list_at(json, "pairs"), {{"src_ip", "src_ip"},
                                           {"dst_ip", "dst_ip"},
                                           {"dst_port", "dst_port"},
                                           {"protocol", "protocol"},
                                           {"connection_count", "connection_count"},
                                           {"duration_seconds", "duration_seconds"},
                                           {"first_seen", "first_seen"},
                                           {"last_seen", "last_seen"},
                                           {"pair_key", "pair_key"},
                                           {"dst_name", "server_name"}});
  });
}

Result<std::string> alerts_csv(std::string_view text) {
  return from(text, [](const Json& json) {
    return csv_of(list_at(json, "alerts"), {{"alert_id", "alert_id"},
                                            {"timestamp", "timestamp"},
                                            {"severity", "severity"},
                                            {"title", "title"},
                                            {"description", "description"},
                                            {"subject", "subject"}});
  });
}

Result<std::string> instrument_events_csv(std::string_view text) {
  return from(text, [](const Json& json) {
    return csv_of(list_at(json, "events"), {{"accepted", "accepted"},
                                            {"time", "time"},
                                            {"source", "source"},
                                            {"type", "type"},
                                            {"message", "message"},
                                            {"uuid", "uuid"},
                                            {"context_uuid", "context_uuid"},
                                            {"alert", "alert"},
                                            {"data", "data"}});
  });
}

}  // namespace beaconry
