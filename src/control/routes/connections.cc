#include <algorithm>

#include "control/answer.h"
#include "control/control.h"
#include "control/query.h"
#include "control/route.h"

namespace beaconry {
namespace {

// An address or a block.
std::optional<Cidr> block(Query& query, std::string_view name) {
  const auto given = query.text(name);
  if (!given) return std::nullopt;
  auto parsed = Cidr::parse(*given);
  if (!parsed) query.refuse(std::string(name) + " must be an address or a block: 10.0.0.0/8");
  return parsed;
}

void write_ends(JsonWriter& json, const PairKey& key) {
  json.plain("pair_key", key.to_string());
  json.plain("src_ip", key.source.to_string());
  json.plain("dst_ip", key.destination.to_string());
  json.whole("dst_port", key.port);
  json.plain("protocol", to_string(key.protocol));
}

HttpResponse list(Control& control, const RouteCall& call) {
  Query query(call.request);
  LiveHunt::Filter filter;
  filter.source = block(query, "src_ip");
  filter.destination = block(query, "dst_ip");
  filter.limit = query.count("limit", 100, 1, 10'000);
  filter.after = query.text("cursor").value_or("");
  if (!filter.after.empty() && !PairKey::parse(filter.after)) {
    query.refuse("cursor must be a next_cursor of this list");
  }
  if (query.refusal()) return *query.refusal();
  const auto pairs = control.hunt().pairs(filter);
  return json_answer(json_text([&](JsonWriter& json) {
    json.begin();
    json.whole("count", pairs.size());
    json.whole("total", control.hunt().count(filter));
    json.begin_list("pairs");
    for (const PairSummary& pair : pairs) {
      json.begin();
      write_ends(json, pair.key);
      json.text_or_null("server_name", pair.server_name);
      json.whole("connection_count", pair.connection_count);
      json.whole("check_ins", pair.check_ins);
      json.number("duration_seconds", to_seconds(pair.last_seen - pair.first_seen));
      json.plain("first_seen", to_rfc3339(pair.first_seen));
      json.plain("last_seen", to_rfc3339(pair.last_seen));
      json.end();
    }
    json.end_list();
    json.text_or_null("next_cursor",
                      pairs.size() < filter.limit ? "" : pairs.back().key.to_string());
    json.end();
  }));
}

HttpResponse list_long(Control& control, const RouteCall& call) {
  constexpr double kYear = 366 * 86'400.0;
  constexpr std::uint64_t kMostFirst = 10'000'000;
  Query query(call.request);
  const double least = query.number("min_duration", 3600, 0, kYear);
  const auto limit = query.count("limit", 100, 1, 10'000);
  const auto first = query.count("cursor", 0, 0, kMostFirst);
  if (query.refusal()) return *query.refusal();
  const auto length = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(least));
  std::uint64_t total = 0;
  auto flows = control.hunt().open_flows(length, first + limit, &total);
  flows.erase(flows.begin(), flows.begin() + static_cast<std::ptrdiff_t>(
                                                 std::min<std::size_t>(first, flows.size())));
  return json_answer(json_text([&](JsonWriter& json) {
    const auto bytes = [&](std::string_view name, std::uint64_t count) {
      json.whole_or_null(name, count == kUnknownBytes ? std::nullopt : std::optional(count));
    };
    json.begin();
    json.whole("count", flows.size());
    json.whole("total", total);
    json.number("min_duration", least);
    json.begin_list("connections");
    for (const OpenFlow& flow : flows) {
      json.begin();
      write_ends(json, flow.key);
      json.whole("src_port", flow.source_port);
      json.text_or_null("server_name", flow.server_name);
      json.text("edge", flow.edge);
      json.number("duration_seconds", to_seconds(flow.open_until - flow.opened));
      json.plain("first_seen", to_rfc3339(flow.opened));
      json.plain("last_seen", to_rfc3339(flow.last_seen));
      bytes("bytes_out", flow.bytes_out);
      bytes("bytes_in", flow.bytes_in);
      json.end();
    }
    json.end_list();
    const std::uint64_t next = first + flows.size();
    json.text_or_null("next_cursor",
                      next < total && !flows.empty() ? std::to_string(next) : std::string());
    json.end();
  }));
}

constexpr RouteParameter kParameters[] = {
    {"src_ip", "string", "address or block of the source"},
    {"dst_ip", "string", "address or block of the destination"},
    {"limit", "integer", "of this page, 1 to 10000; 100"},
    {"cursor", "string", "`next_cursor` of the page before"},
};
constexpr RouteParameter kLongParameters[] = {
    {"min_duration", "number", "least seconds that a connection is open; 3600"},
    {"limit", "integer", "of this page, 1 to 10000; 100"},
    {"cursor", "string", "`next_cursor` of the page before"},
};

constexpr Route kRoutes[] = {
    {
        .method = "GET",
        .path = "/api/v1/connections",
        .summary = "Connection pairs that are kept, in order of their key",
        .handle = list,
        .parameters = kParameters,
        .response = "`{count, total, pairs: [{pair_key, src_ip, dst_ip, dst_port, protocol, "
                    "server_name, connection_count, check_ins, duration_seconds, first_seen, "
                    "last_seen}], next_cursor}`",
    },
    {
        .method = "GET",
        .path = "/api/v1/long-connections",
        .summary = "Connections that are still open, longest first",
        .handle = list_long,
        .parameters = kLongParameters,
        .response =
            "`{count, total, min_duration, connections: [{pair_key, src_ip, src_port, dst_ip, "
            "dst_port, protocol, server_name, edge, duration_seconds, first_seen, last_seen, "
            "bytes_out, bytes_in}], next_cursor}`",
    },
};

}  // namespace

namespace resources {
extern constinit const Resource connections{"connections", kRoutes};
}
}  // namespace beaconry
