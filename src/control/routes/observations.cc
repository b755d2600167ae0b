#include "control/observations.h"

#include "base/text.h"
#include "control/answer.h"
#include "control/control.h"
#include "control/leak_filter.h"
#include "control/leak_json.h"
#include "control/query.h"
#include "control/route.h"

namespace beaconry {
namespace {

constexpr std::uint64_t kMostNumber = std::uint64_t{1} << 62;

Observations::Query read(Query& query, const Control& control) {
  Observations::Query wanted;
  wanted.limit = query.count("limit", 100, 1, 10'000);
  wanted.before = query.count("cursor", 0, 0, kMostNumber);
  wanted.leak = query.text("leak").value_or("");
  wanted.edge = query.text("home").value_or("");
  for (const KeptHome& home : control.homes().list()) {
    if (home.name == wanted.edge) wanted.edge = home.edge;
  }
  wanted.receiver = query.text("receiver").value_or("");
  wanted.probe = query.text("probe").value_or("");
  if (const auto probe = control.probes().newest(wanted.probe))
    wanted.probe = probe->id.to_string();
  wanted.since = read_since(query, control.now());
  if (const auto method = query.text("method")) {
    wanted.method = parse_method(*method);
    if (!wanted.method) query.refuse("no method is called '" + terminal_safe(*method) + '\'');
  }
  if (const auto what = query.text("class")) {
    wanted.what = parse_observation_class(*what);
    if (!wanted.what) {
      query.refuse(
          "class must be fresh, duplicate, late, replayed, unknown-key, retired or "
          "unconfirmed");
    }
  }
  return wanted;
}

HttpResponse list(Control& control, const RouteCall& call) {
  Query query(call.request);
  const Observations::Query wanted = read(query, control);
  if (query.refusal()) return *query.refusal();
  const auto page = control.leaks().observations().page(wanted);
  if (!page) return error_answer(page.error());
  const Observations::Totals totals = control.leaks().totals();
  return json_answer(json_text([&](JsonWriter& json) {
    json.begin();
    json.whole("count", page->observations.size());
    json.whole("total", page->count);
    json.begin("received");  // ever, by class, also those that are not kept any more
    for (std::size_t i = 0; i < totals.size(); ++i)
      json.whole(to_string(static_cast<ObservationClass>(i)), totals[i]);
    json.end();
    json.begin_list("observations");
    for (const Observations::Kept& kept : page->observations)
      write_observation(json, kept, control.probes().name_of(kept.judged.seen.ping.probe));
    json.end_list();
    json.text_or_null("next_cursor", page->next == 0 ? "" : std::to_string(page->next));
    json.end();
  }));
}

constexpr RouteParameter kParameters[] = {
    {"probe", "string", "of this probe, by name (its newest key) or id"},
    {"leak", "string", "of this leak, by id"},
    {"home", "string", "that this home saw, by name or fingerprint"},
    {"receiver", "string", "by this way in: sniffer, udp, tcp, dns, ..."},
    {"method", "string", "of this method"},
    {"class", "string", "fresh, duplicate, late, replayed, unknown-key, retired or unconfirmed"},
    {"since", "string", "received since then: a time, or a length such as 24h"},
    {"limit", "integer", "of this page, 1 to 10000; 100"},
    {"cursor", "string", "`next_cursor` of the page before"},
};

constexpr Route kRoutes[] = {{
    .method = "GET",
    .path = "/api/v1/observations",
    .summary = "What homes saw, newest first, as it was classified",
    .handle = list,
    .parameters = kParameters,
    .response =
        "`{count, total, received{class: number ever}, observations: [{number, received, class, "
        "authenticity, carrier, receiver, retired, home, leak, source, source_port, destination, "
        "destination_port, protocol, ttl, probe, probe_name, method, variant, leg, cycle_kind, "
        "cycle, sequence, sent, delay_seconds, inside, intended, intended_port, via, raw}], "
        "next_cursor}`; raw is the packet's beginning in hex; what a ping says is missing where no "
        "key opened it",
}};

}  // namespace

namespace resources {
extern constinit const Resource observations{"observations", kRoutes};
}
}  // namespace beaconry
