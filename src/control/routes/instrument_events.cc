#include "control/instrument_events.h"

#include "base/text.h"
#include "control/answer.h"
#include "control/control.h"
#include "control/instrument_alert.h"
#include "control/leak_filter.h"
#include "control/query.h"
#include "control/route.h"

namespace beaconry {
namespace {

constexpr std::uint64_t kMostNumber = std::uint64_t{1} << 62;

InstrumentEvents::Query read(Query& query, const Control& control) {
  InstrumentEvents::Query wanted;
  wanted.limit = query.count("limit", 100, 1, 10'000);
  wanted.before = query.count("cursor", 0, 0, kMostNumber);
  wanted.type = query.text("type").value_or("");
  wanted.sensor = query.text("edge").value_or("");
  wanted.instance = query.text("instance").value_or("");
  if (const auto at = wanted.instance.find('@'); at != std::string::npos) {
    const std::string sensor = wanted.instance.substr(at + 1);
    wanted.instance.resize(at);
    if (!wanted.sensor.empty() && wanted.sensor != sensor) {
      query.refuse("instance and edge name two sensors");
    }
    wanted.sensor = sensor;
  }
  wanted.context = query.text("context").value_or("");
  wanted.since = read_since(query, control.now());
  wanted.until = read_since(query, control.now(), "until");
  wanted.words = query.text("q").value_or("").substr(0, 500);
  return wanted;
}

HttpResponse list(Control& control, const RouteCall& call) {
  Query query(call.request);
  const InstrumentEvents::Query wanted = read(query, control);
  if (query.refusal()) return *query.refusal();
  const auto page = control.instrument_events().page(wanted);
  if (!page) return error_answer(page.error());
  const auto totals = control.instrument_events().totals();
  if (!totals) return error_answer(totals.error());
  return json_answer(json_text([&](JsonWriter& json) {
    json.begin();
    json.whole("count", page->events.size());
    json.begin("received");  // ever, also those that are not kept any more
    json.whole("stored", totals->stored);
    json.whole("repeated", totals->repeated);
    json.whole("alerts", totals->alerts);
    json.whole("alerts_muted", totals->muted);
    json.whole("alerts_limited", totals->limited);
    json.end();
    json.begin_list("events");
    for (const InstrumentEvents::Kept& kept : page->events)
      json.raw(instrument_event_json(kept));
    json.end_list();
    json.text_or_null("next_cursor", page->next == 0 ? "" : std::to_string(page->next));
    json.end();
  }));
}

constexpr RouteParameter kParameters[] = {
    {"type", "string", "of this type; * stands for any characters: *.ev.alert"},
    {"instance", "string", "of this instrument: beacon_0, or beacon_0@sensor001"},
    {"edge", "string", "of this sensor, by name or fingerprint"},
    {"context", "string", "that belong to this uuid, and the one that has it"},
    {"since", "string", "that came since then: a time, or a length such as 24h"},
    {"until", "string", "that came before then: a time, or a length such as 24h"},
    {"q", "string", "words that all must stand in type, message or data"},
    {"limit", "integer", "of this page, 1 to 10000; 100"},
    {"cursor", "string", "`next_cursor` of the page before"},
};

constexpr Route kRoutes[] = {{
    .method = "GET",
    .path = "/api/v1/instrument-events",
    .summary = "What sensors and their instruments told, newest first",
    .handle = list,
    .parameters = kParameters,
    .response = "`{count, received{stored, repeated, alerts, alerts_muted, alerts_limited: ever}, "
                "events: [{number, source, instance, sensor, edge, uuid, context_uuid, time, "
                "accepted, type, message, data, alert}], next_cursor}`; time is by the "
                "instrument's clock, accepted by the server's; alert is the id of the alert that "
                "came of it",
}};

}  // namespace

namespace resources {
extern constinit const Resource instrument_events{"instrument_events", kRoutes};
}
}  // namespace beaconry
