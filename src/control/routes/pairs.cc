#include "control/answer.h"
#include "control/beacon_json.h"
#include "control/control.h"
#include "control/query.h"
#include "control/route.h"

namespace beaconry {
namespace {

void write_series(JsonWriter& json, const CheckIns& check_ins, std::size_t limit) {
  // The newest: what is asked for is what goes on.
  const std::size_t first = check_ins.size() > limit ? check_ins.size() - limit : 0;
  json.whole("check_ins_left_out", first);
  json.begin_list("series");
  for (std::size_t i = first; i < check_ins.size(); ++i) {
    const CheckIn& check_in = check_ins[i];
    json.begin();
    json.plain("time", to_rfc3339(check_in.time));
    json.name("interval");
    i == 0 ? json.null() : json.number(to_seconds(check_in.time - check_ins[i - 1].time));
    json.whole("connections", check_in.connections);
    json.flag("inside_flow", check_in.inside_flow);
    const auto bytes = [&](std::string_view name, std::uint64_t count) {
      json.whole_or_null(name, count == kUnknownBytes ? std::nullopt : std::optional(count));
    };
    bytes("bytes_out", check_in.bytes_out);
    bytes("bytes_in", check_in.bytes_in);
    json.end();
  }
  json.end_list();
}

void write_triage(JsonWriter& json, const Control& control, const std::string& identity) {
  json.name("triage");
  if (const auto entry = control.triage().find(identity)) {
    json.begin();
    json.plain("decision", to_string(entry->decision));
    json.text("reason", entry->reason);
    json.text("author", entry->author);
    json.plain("made", to_rfc3339(entry->made));
    json.name("expires");
    entry->expires ? json.plain(to_rfc3339(*entry->expires)) : json.null();
    json.end();
  } else {
    json.null();
  }
  json.begin_list("triage_history");
  if (const auto steps = control.triage().history(identity)) {
    for (const Triage::Step& step : *steps) {
      json.begin();
      json.plain("time", to_rfc3339(step.time));
      json.text("who", step.who);
      json.text("what", step.what);
      json.text("words", step.words);
      json.end();
    }
  }
  json.end_list();
}

void write_history(JsonWriter& json, const Control& control, const std::string& identity) {
  json.begin_list("history");
  if (const auto points = control.beacons().history(identity)) {
    for (const Beacons::Point& point : *points) {
      json.begin();
      json.plain("time", to_rfc3339(point.time));
      json.number("score", point.score);
      json.plain("severity", to_string(static_cast<Severity>(point.severity)));
      json.end();
    }
  }
  json.end_list();
}

HttpResponse show(Control& control, const RouteCall& call) {
  Query query(call.request);
  const auto limit = query.count("limit", 1000, 1, 100'000);
  if (query.refusal()) return *query.refusal();
  CheckIns check_ins;
  const auto pair = control.hunt().score_one(call.argument, &check_ins);
  if (!pair) {
    return error_answer(404,
                        "no such pair is kept; write 10.0.0.5->203.0.113.9:443/TCP, or the "
                        "identity that /api/v1/beacons shows");
  }
  const auto config = control.config().current();
  const std::string identity = pair->identity();
  return json_answer(json_text([&](JsonWriter& json) {
    json.begin();
    json.text("identity", identity);
    json.name("pair");
    write_beacon(json, *pair, config->detection, control.now());
    write_series(json, check_ins, limit);
    write_history(json, control, identity);
    write_triage(json, control, identity);
    json.end();
  }));
}

constexpr RouteParameter kParameters[] = {
    {"limit", "integer", "check-ins, the newest, 1 to 100000; 1000"},
};

constexpr Route kRoutes[] = {{
    .method = "GET",
    .path = "/api/v1/pairs/{key}",
    .summary = "One pair as it is now, whatever its score, by its key or identity",
    .handle = show,
    .parameters = kParameters,
    .response = "`{identity, pair{} (as in /api/v1/beacons), check_ins_left_out, series: [{time, "
                "interval, connections, inside_flow, bytes_out, bytes_in}], history: [{time, "
                "score, severity}], triage{decision, reason, author, made, expires}, "
                "triage_history: [{time, who, what, words}]}`",
}};

}  // namespace

namespace resources {
extern constinit const Resource pairs{"pairs", kRoutes};
}
}  // namespace beaconry
