#include "control/homes.h"

#include "base/log.h"
#include "control/answer.h"
#include "control/control.h"
#include "control/query.h"
#include "control/route.h"

namespace beaconry {
namespace {

// Who calls is the edge whose key the connection showed.
std::optional<HttpResponse> refuse_others(Control& control, const RouteCall& call,
                                          Edges::Edge& edge) {
  const auto known = call.edge ? control.enrolled().find(std::string(call.who)) : std::nullopt;
  if (!known || known->revoked || known->kind != "home") {
    return error_answer(403, "only an edge that was enrolled as a home may call this, by its key");
  }
  edge = *known;
  return std::nullopt;
}

HttpResponse announce(Control& control, const RouteCall& call) {
  Edges::Edge edge;
  if (auto refused = refuse_others(control, call, edge)) return std::move(*refused);
  auto home = Homes::parse(call.request.body);
  if (!home) return error_answer(home.error());
  home->edge = edge.id;
  home->name = edge.name;
  const Timestamp now = control.now();
  const auto before = control.homes().announce(*home, now);
  if (!before) return error_answer(before.error());
  if (*before) {
    const Alert alert = home_alert(**before, *home, now);
    log_warning(alert.description);
    if (auto told = control.leaks().tell(alert); !told) return error_answer(told.error());
  }
  return json_answer(R"({"status":"known"})");
}

HttpResponse probes(Control& control, const RouteCall& call) {
  Edges::Edge edge;
  if (auto refused = refuse_others(control, call, edge)) return std::move(*refused);
  const Query query(call.request);
  const Timestamp now = control.now();
  control.leaks().home_listened(edge.id, now);
  return json_answer(
      probe_list_json(control.probes().list(), edge.id, query.text("after").value_or(""), now));
}

void write_home(JsonWriter& json, const Control& control, const KeptHome& home, Timestamp now) {
  const auto edge = control.enrolled().find(home.edge);
  std::uint64_t probes = 0, stale = 0;
  for (const KeptProbe& probe : control.probes().list()) {
    if (probe.home != home.edge || probe.is_retired(now)) continue;
    ++probes;
    if (probe.home_key != home.box_public) ++stale;
  }
  json.begin();
  json.plain("edge", home.edge);
  json.text("name", home.name);
  json.flag("revoked", edge && edge->revoked);
  json.plain("box_public", to_hex(home.box_public));
  json.text_or_null("zone", home.zone);
  json.begin_list("addresses");
  for (const IpAddress& address : home.addresses)
    json.plain(address.to_string());
  json.end_list();
  json.text("version", home.version);
  json.plain("first", to_rfc3339(home.first));
  json.plain("announced", to_rfc3339(home.announced));
  json.name("last_seen");
  edge && edge->last_seen != Timestamp{} ? json.plain(to_rfc3339(edge->last_seen)) : json.null();
  json.whole("probes", probes);
  json.whole("probes_with_old_key", stale);
  json.name("key_changed");
  home.key_changed ? json.plain(to_rfc3339(*home.key_changed)) : json.null();
  json.end();
}

HttpResponse list(Control& control, const RouteCall&) {
  const auto homes = control.homes().list();
  const Timestamp now = control.now();
  return json_answer(json_text([&](JsonWriter& json) {
    json.begin();
    json.whole("count", homes.size());
    json.begin_list("homes");
    for (const KeptHome& home : homes)
      write_home(json, control, home, now);
    json.end_list();
    json.end();
  }));
}

constexpr RouteParameter kAfter[] = {
    {"after", "integer", "the version that the home has: if it is still so, it comes back alone"},
};

constexpr Route kRoutes[] = {
    {
        .method = "GET",
        .path = "/api/v1/homes",
        .summary = "Homes that announced themselves",
        .handle = list,
        .response = "`{count, homes: [{edge, name, revoked, box_public, zone, addresses, version, "
                    "first, announced, last_seen, probes, probes_with_old_key, key_changed}]}`; "
                    "probes_with_old_key need a new line: `beaconry probes rotate`",
    },
    {
        .method = "PUT",
        .path = "/api/v1/homes/self",
        .summary = "An enrolled home says where probes reach it, and its public key",
        .role = Role::ingest,
        .handle = announce,
        .body = "`{box_public, zone, addresses: [...], version}`; box_public is 64 hex digits",
        .response = "`{status}`",
    },
    {
        .method = "GET",
        .path = "/api/v1/homes/self/probes",
        .summary = "The probes that call this home, for the home itself",
        .role = Role::ingest,
        .handle = probes,
        .parameters = kAfter,
        .response = "`{version, probes: [{id, name, box_public, sign_public, retired}], controls: "
                    "[{probe, every_seconds}]}`, or `{version}` alone",
    },
};

}  // namespace

namespace resources {
extern constinit const Resource homes{"homes", kRoutes};
}
}  // namespace beaconry
