#include "control/leaks.h"

#include "base/text.h"
#include "control/answer.h"
#include "control/control.h"
#include "control/leak_filter.h"
#include "control/leak_json.h"
#include "control/leak_report.h"
#include "control/query.h"
#include "control/route.h"

namespace beaconry {
namespace {

constexpr std::size_t kMostShown = 100;  // observations of a leak

std::string decision_of(const Control& control, const std::string& id) {
  const auto decision = control.triage().find(id);
  return decision ? std::string(to_string(decision->decision)) : std::string();
}

HttpResponse list(Control& control, const RouteCall& call) {
  Query query(call.request);
  const Query::Page page = query.page();
  const LeakFilter filter = LeakFilter::read(query, control.now());
  if (query.refusal()) return *query.refusal();
  const auto all = filter.apply(control.leaks().list(), control.probes());
  const std::size_t end = page.end(all.size());
  return json_answer(json_text([&](JsonWriter& json) {
    json.begin();
    json.whole("count", end - std::min(page.first, end));
    json.whole("total", all.size());
    json.begin_list("leaks");
    for (std::size_t i = page.first; i < end; ++i) {
      json.begin();
      write_leak(json, all[i], control.probes().name_of(all[i].probe),
                 decision_of(control, all[i].id));
      json.end();
    }
    json.end_list();
    json.text_or_null("next_cursor", page.next(all.size()));
    json.end();
  }));
}

HttpResponse show(Control& control, const RouteCall& call) {
  const std::string id(call.argument);
  const auto leak = control.leaks().find(id);
  if (!leak) return error_answer(404, "no leak has this id; give it as it is listed");
  Observations::Query query;
  query.leak = id;
  query.limit = kMostShown;
  const auto seen = control.leaks().observations().page(query);
  if (!seen) return error_answer(seen.error());
  const auto steps = control.triage().history(id);
  if (!steps) return error_answer(steps.error());
  const std::string name = control.probes().name_of(leak->probe);
  return json_answer(json_text([&](JsonWriter& json) {
    json.begin();
    write_leak(json, *leak, name, decision_of(control, id));
    json.begin_list("history");
    for (const Triage::Step& step : *steps) {
      json.begin();
      json.plain("time", to_rfc3339(step.time));
      json.text("who", step.who);
      json.text("what", step.what);
      json.text("words", step.words);
      json.end();
    }
    json.end_list();
    json.whole("observations_kept", seen->count);
    json.begin_list("observations");
    for (const Observations::Kept& kept : seen->observations)
      write_observation(json, kept, name);
    json.end_list();
    json.end();
  }));
}

HttpResponse report(Control& control, const RouteCall& call) {
  Query query(call.request);
  const LeakFilter filter = LeakFilter::read(query, control.now());
  if (query.refusal()) return *query.refusal();
  LeakReport content;
  content.made = control.now();
  content.filter = filter.words();
  for (const Leak& leak : filter.apply(control.leaks().list(), control.probes())) {
    content.leaks.push_back(
        {leak, control.probes().name_of(leak.probe), decision_of(control, leak.id)});
  }
  for (const KeptProbe& probe : control.probes().list()) {
    if (!filter.fits(probe)) continue;
    content.probes.push_back(
        {probe, control.leaks().last_heard(probe.id), control.leaks().last_control(probe.id)});
  }
  HttpResponse response;
  response.body = leak_report_html(content);
  response.content_type = "text/html; charset=utf-8";
  return response;
}

constexpr RouteParameter kParameters[] = {
    {"probe", "string", "of this probe, by name or id"},
    {"since", "string", "seen since then: a time, or a length such as 24h"},
    {"state", "string", "open or closed"},
    {"method", "string", "by this method: udp-port, dns, ..."},
    {"path", "string", "along this kind of path: direct, nat, resolver, neighbour_forwards, ..."},
    {"class", "string", "with observations of this class: fresh, duplicate, late or replayed"},
    {"limit", "integer", "of this page, 1 to 10000; 10000"},
    {"cursor", "string", "`next_cursor` of the page before"},
};
constexpr auto kFilters = std::span(kParameters).first(6);

constexpr Route kRoutes[] = {
    {
        .method = "GET",
        .path = "/api/v1/leaks",
        .summary = "Leaks, open ones first, each with its words",
        .handle = list,
        .parameters = kParameters,
        .response =
            "`{count, total, leaks: [{id, state, triage, probe, probe_name, method, family, path, "
            "route: [hop], two_way, title, explanation, fix, outer_source, via, inside, ports: "
            "[[from, to]], variants, first, last, opened, closed, open_seconds, times_opened, "
            "open_times: [{from, to, seconds}], count, duplicates, replayed, late, seen_in}], "
            "next_cursor}`",
    },
    {
        .method = "GET",
        .path = "/api/v1/leaks/{id}",
        .summary = "One leak with its newest observations and what was decided of it",
        .handle = show,
        .response = "a leak as listed, and `{history: [{time, who, what, words}], "
                    "observations_kept, observations: [as of /api/v1/observations]}`",
    },
    {
        .method = "GET",
        .path = "/api/v1/leaks/report",
        .summary = "The same as one page of HTML, to be kept or printed",
        .handle = report,
        .parameters = kFilters,
        .response = "`text/html`, self-contained: no script, nothing from elsewhere",
    },
};

}  // namespace

namespace resources {
extern constinit const Resource leaks{"leaks", kRoutes};
}
}  // namespace beaconry
