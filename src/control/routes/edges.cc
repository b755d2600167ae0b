#include <chrono>

#include "control/answer.h"
#include "control/body.h"
#include "control/control.h"
#include "control/edge_hops.h"
#include "control/fleet_join.h"
#include "control/join_line.h"
#include "control/query.h"
#include "control/route.h"
#include "http/certificates.h"

namespace beaconry {
namespace {

void write_time(JsonWriter& json, std::string_view name, Timestamp time) {
  json.name(name);
  time == Timestamp{} ? json.null() : json.plain(to_rfc3339(time));
}

void write_fields(JsonWriter& json, const Edges::Edge& edge) {
  json.text("id", edge.id);
  json.text_or_null("fingerprint", edge.id.rfind("name:", 0) == 0 ? "" : edge.id);
  json.plain("state", edge.revoked        ? "revoked"
                      : edge.enrolled     ? "enrolled"
                      : !edge.via.empty() ? "relayed"
                                          : "not enrolled");
  json.text_or_null("via", edge.via);
  json.text("name", edge.name);
  json.text_or_null("kind", edge.kind);
  json.flag("enrolled", edge.enrolled);
  json.flag("revoked", edge.revoked);
  json.whole("enrolments", edge.enrolments);
  json.flag("name_conflict", edge.name_conflict);
  write_time(json, "enrolled_at", edge.enrolled_at);
  write_time(json, "last_seen", edge.last_seen);
  json.text_or_null("last_address", edge.last_address);
  json.name("clock_skew_seconds");
  edge.clock_skew ? json.number(to_seconds(*edge.clock_skew)) : json.null();
  json.text_or_null("incarnation", edge.incarnation);
  json.whole("sequence", edge.sequence);
  json.whole("batches", edge.batches);
  json.whole("repeated", edge.repeated);
  json.whole("events", edge.events);
  json.whole("batches_missing", edge.missing);
  json.whole("batches_dropped", edge.dropped);
  json.whole("batches_refused", edge.refused);
  json.whole("batches_unexplained", edge.unexplained);
  std::uint64_t lost = 0;
  for (const LedgerHop& hop : ledger_of(edge))
    lost += hop.lost.value_or(0);
  json.whole("lost", lost);
  json.name("complete_up_to");
  edge.complete_up_to ? json.plain(to_rfc3339(*edge.complete_up_to)) : json.null();
  json.name("counters");
  json.raw(edge.counters.empty() ? "{}" : edge.counters);
}

void write_ledger(JsonWriter& json, const Edges::Edge& edge) {
  json.begin_list("ledger");
  for (const LedgerHop& hop : ledger_of(edge)) {
    json.begin();
    json.plain("hop", hop.hop);
    json.plain("what", hop.what);
    json.whole_or_null("count", hop.count);
    json.whole_or_null("lost", hop.lost);
    json.plain("how", hop.how);
    json.end();
  }
  json.end_list();
}

HttpResponse list(Control& control, const RouteCall& call) {
  Query query(call.request);
  const Query::Page page = query.page();
  if (query.refusal()) return *query.refusal();
  const auto all = control.enrolled().list(control.now());
  const std::size_t end = page.end(all.size());
  return json_answer(json_text([&](JsonWriter& json) {
    json.begin();
    json.whole("count", end - std::min(page.first, end));
    json.whole("total", all.size());
    json.begin_list("edges");
    for (std::size_t i = page.first; i < end; ++i) {
      json.begin();
      write_fields(json, all[i]);
      json.end();
    }
    json.end_list();
    json.text_or_null("next_cursor", page.next(all.size()));
    json.end();
  }));
}

// By id or, if only one has it, by name.
HttpResponse show(Control& control, const RouteCall& call) {
  const std::string wanted(call.argument);
  const Timestamp now = control.now();
  auto edge = control.enrolled().find(wanted, now);
  if (!edge) {
    const auto all = control.enrolled().list(now);
    const auto named = [&](const Edges::Edge& each) { return each.name == wanted; };
    const auto first = std::find_if(all.begin(), all.end(), named);
    if (first == all.end()) {
      return error_answer(404, "no edge has this id or name; GET /api/v1/edges lists them");
    }
    if (std::find_if(first + 1, all.end(), named) != all.end()) {
      return error_answer(409, "more than one edge has this name; name it by its id");
    }
    edge = *first;
  }
  return json_answer(json_text([&](JsonWriter& json) {
    json.begin();
    write_fields(json, *edge);
    write_ledger(json, *edge);
    json.end();
  }));
}

HttpResponse revoke(Control& control, const RouteCall& call) {
  const auto revoked = control.enrolled().revoke(std::string(call.argument), control.now());
  if (!revoked) return error_answer(revoked.error());
  if (auto gone = forget_revoked(control.fleet(), control.enrolled(), control.now()); !gone)
    return error_answer(gone.error());
  for (const KeptHome& home : control.homes().list()) {
    if (control.enrolled().is_enrolled(home.edge)) continue;
    if (auto gone = control.homes().forget(home.edge); !gone) return error_answer(gone.error());
  }
  return json_answer(R"({"status":"revoked"})");
}

HttpResponse make_enrollment(Control& control, const RouteCall& call) {
  auto body =
      Body::parse(call.request.body, {"kind", "name", "expires", "valid_for_seconds", "url"});
  if (!body) return error_answer(body.error());
  const Timestamp now = control.now();
  const std::string kind = body->text("kind"), name = body->text("name");
  if (!kind.empty() && kind != "collector" && kind != "home" && kind != "sensor") {
    body->refuse("'kind' must be collector, home or sensor");
  }
  auto expires = body->time("expires", now);
  if (!expires) expires = body->time("valid_for_seconds", now);
  if (!body->error().empty()) return error_answer(400, body->error());
  if (!control.has_tls()) return error_answer(409, std::string(kNoTls));
  const std::string url = body->text_or("url", control.url());
  const Timestamp until = expires.value_or(now + std::chrono::hours{1});
  call.note.object = kind + ' ' + name;
  auto token = control.enrolled().make_token(kind, name, until, std::string(call.who), now);
  if (!token) return error_answer(token.error());
  return json_answer(join_line_json(control, {kind, name, *token, url, until}));
}

HttpResponse enroll(Control& control, const RouteCall& call) {
  auto body = Body::parse(call.request.body, {"token", "kind", "name", "certificate"});
  if (!body) return error_answer(body.error());
  const std::string token = body->text("token"), kind = body->text("kind"),
                    name = body->text("name");
  const std::string certificate = body->text_or("certificate", {});
  // Who came with a certificate has shown to hold its key.
  std::string key = call.request.peer.key;
  if (key.empty() && !certificate.empty()) {
    auto named = key_fingerprint(certificate);
    if (!named) return error_answer(400, "'certificate' is none: " + named.error().message());
    key = *named;
  }
  if (key.empty()) body->refuse("'certificate' is required where the connection brings none");
  if (!body->error().empty()) return error_answer(400, body->error());
  call.note.object = kind + ' ' + name;
  const auto edge = control.enrolled().enrol(token, kind, name, key,
                                             call.request.peer.address.to_string(), control.now());
  if (!edge)
    return error_answer(edge.error().kind == ErrorKind::usage ? 403 : 500, edge.error().message());
  std::string called = edge->name;
  if (edge->kind == "sensor") {
    auto named = join_fleet(control.fleet(), control.enrolled(), *edge, token, control.now());
    if (!named) return error_answer(named.error());
    called = std::move(*named);
  }
  return json_answer(json_text([&](JsonWriter& json) {
    json.begin();
    json.plain("status", "enrolled");
    json.text("edge", edge->id);
    json.text("name", called);
    json.text("kind", edge->kind);
    json.whole("enrolments", edge->enrolments);
    json.flag("name_conflict", edge->name_conflict);
    json.text("ca", control.ca_pem());
    if (edge->kind == "sensor") json.text("fleet_key", control.fleet().public_key());
    json.end();
  }));
}

constexpr RouteParameter kPage[] = {
    {"limit", "integer", "of this page, 1 to 10000; 10000"},
    {"cursor", "string", "`next_cursor` of the page before"},
};

constexpr Route kRoutes[] = {
    {
        .method = "GET",
        .path = "/api/v1/edges",
        .summary = "Who sends to this server, and what came of whom",
        .handle = list,
        .parameters = kPage,
        .response =
            "`{count, total, edges: [{id, fingerprint, state, via, name, kind, enrolled, revoked, "
            "enrolments, "
            "name_conflict, enrolled_at, last_seen, last_address, clock_skew_seconds, "
            "incarnation, sequence, batches, repeated, events, batches_missing, batches_dropped, "
            "batches_refused, batches_unexplained, lost, complete_up_to, "
            "counters{}}], next_cursor}`; clock_skew_seconds is the edge's clock less the "
            "server's; via is the sensor that relays an instrument's batches; batches_unexplained "
            "are those of the missing ones that the edge neither dropped nor had refused; lost is "
            "the sum of its ledger's losses; "
            "complete_up_to is a time of the edge's clock: all that it had taken by then has "
            "arrived or is counted as lost (null: it tells no times)",
    },
    {
        .method = "GET",
        .path = "/api/v1/edges/{id}",
        .summary = "One edge with its loss ledger, by id or by a name that only one has",
        .handle = show,
        .response = "an edge as in the list, and `ledger: [{hop, what, count, lost, how}]`, in the "
                    "order of the way; count or lost null: it does not tell",
    },
    {
        .method = "DELETE",
        .path = "/api/v1/edges/{id}",
        .summary = "Revokes an edge, by id or by a name that only one has",
        .role = Role::admin,
        .handle = revoke,
        .response = "`{status}`",
    },
    {
        .method = "POST",
        .path = "/api/v1/enrollments",
        .summary = "Makes a token that enrols one edge, once",
        .role = Role::admin,
        .handle = make_enrollment,
        .body = "`{kind: collector|home|sensor, name, expires, url}`; expires is a time or a "
                "length, 1h by default; url is where the edge reaches this server",
        .response = "`{kind, name, token, expires, ca_fingerprint, url, join}`; the token is shown "
                    "once",
    },
    {
        .method = "POST",
        .path = "/api/v1/enroll",
        .summary = "Redeems such a token",
        .role = Role::none,
        .handle = enroll,
        .body = "`{token, kind, name, certificate}`; the certificate, PEM, only where the "
                "connection brings none",
        .response = "`{status, edge, name, kind, enrolments, name_conflict, ca, fleet_key}`; edge "
                    "is its fingerprint, ca the server's CA, PEM, fleet_key what a sensor checks "
                    "its documents by",
    },
};

}  // namespace

namespace resources {
extern constinit const Resource edges{"edges", kRoutes};
}
}  // namespace beaconry
