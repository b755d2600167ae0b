#include "control/triage.h"

#include "control/answer.h"
#include "control/body.h"
#include "control/control.h"
#include "control/query.h"
#include "control/route.h"

namespace beaconry {
namespace {

void write_entry(JsonWriter& json, const Triage::Entry& entry) {
  json.begin();
  json.text("subject", entry.subject);
  json.plain("decision", to_string(entry.decision));
  json.text("reason", entry.reason);
  json.text("author", entry.author);
  json.plain("made", to_rfc3339(entry.made));
  json.name("expires");
  entry.expires ? json.plain(to_rfc3339(*entry.expires)) : json.null();
  json.number("interval_seconds", entry.interval_seconds);
  json.end();
}

HttpResponse list(Control& control, const RouteCall& call) {
  Query query(call.request);
  const Query::Page page = query.page();
  if (query.refusal()) return *query.refusal();
  const auto all = control.triage().list();
  const std::size_t end = page.end(all.size());
  return json_answer(json_text([&](JsonWriter& json) {
    json.begin();
    json.whole("count", end - std::min(page.first, end));
    json.whole("total", all.size());
    json.begin_list("triage");
    for (std::size_t i = page.first; i < end; ++i)
      write_entry(json, all[i]);
    json.end_list();
    json.text_or_null("next_cursor", page.next(all.size()));
    json.end();
  }));
}

HttpResponse acknowledge(Control& control, const std::string& id, const std::string& who,
                         const std::string& reason) {
  const auto done = control.alerts().acknowledge(id, who, reason, control.now());
  if (!done) return error_answer(done.error());
  if (!*done) return error_answer(404, "no alert has this id");
  return json_answer(R"({"status":"acknowledged"})");
}

HttpResponse reopen(Control& control, const std::string& subject, const std::string& who,
                    const std::string& reason) {
  if (!control.triage().find(subject)) {
    return error_answer(404, "nothing was decided of this subject");
  }
  // What is not muted any more is harmless; the words would hide that it still is.
  const auto source = control.instrument_events().knows_source(subject);
  if (!source) return error_answer(source.error());
  if (!*source && !control.leaks().find(subject)) {
    const auto open = control.analysis().decide(subject, Triaged::none, {});
    if (!open) return busy_or(open.error());
  }
  const auto gone = control.triage().withdraw(subject, who, reason, control.now());
  if (!gone) return error_answer(gone.error());
  return json_answer(R"({"status":"withdrawn"})");
}

// What the decision is made about. Of a pair that is not retained any more its key tells where it
// went.
void describe(Control& control, Triage::Entry& entry) {
  if (const auto pair = control.hunt().score_one(entry.subject, nullptr)) {
    entry.interval_seconds = pair->verdict.interval_seconds;
    for (const IpAddress& destination : pair->destinations)
      entry.destinations.push_back(destination.to_string());
    if (pair->destinations.empty()) {
      entry.destinations.push_back(pair->key.destination.to_string());
    }
  } else if (const auto key = PairKey::parse(entry.subject)) {
    entry.destinations.push_back(key->destination.to_string());
  }
}

// The beacon that a decision is about, muted. What answers instead where it cannot be.
std::optional<HttpResponse> mute_beacon(Control& control, Triage::Entry& entry) {
  const auto row = control.beacons().find(entry.subject);
  if (!row) return error_answer(row.error());
  if (!*row) {
    return error_answer(
        404, "no such beacon, leak or instrument; give its identity or id as it is listed");
  }
  describe(control, entry);
  const auto before = control.triage().find(entry.subject);
  // The words first: only what they hold for is muted.
  if (auto decided = control.triage().decide(entry); !decided) {
    return error_answer(decided.error());
  }
  const Triaged how =
      entry.decision == Triage::Decision::benign ? Triaged::benign : Triaged::acknowledged;
  const auto known =
      control.analysis().decide(entry.subject, how, entry.expires.value_or(Timestamp::max()));
  if (known && *known) return std::nullopt;
  const auto back = control.triage().withdraw(entry.subject, "beaconry-control",
                                              "could not be kept", control.now());
  if (!back) return error_answer(back.error());
  if (before) {
    if (auto kept = control.triage().decide(*before); !kept) return error_answer(kept.error());
  }
  if (!known) return busy_or(known.error());
  return error_answer(404, "no such beacon; give its identity as it is listed");
}

HttpResponse decide(Control& control, const RouteCall& call) {
  auto body = Body::parse(call.request.body, {"subject", "alert_id", "decision", "reason",
                                              "expires", "expires_in_seconds", "author"});
  if (!body) return error_answer(body.error());
  const Timestamp now = control.now();
  Triage::Entry entry;
  entry.author = body->text_or("author", std::string(call.who));
  // Whoever logged in speaks for nobody else.
  if (!call.session.empty()) entry.author = call.who;
  entry.made = now;
  const std::string word = body->text_or("decision", "acknowledged");
  if (word == "reopen") {
    call.note.object = body->text("subject");
    return reopen(control, body->text("subject"), entry.author,
                  body->text_or("reason", "reopened"));
  }
  entry.reason = body->text("reason");
  const auto decision = parse_decision(word == "acknowledge" ? "acknowledged" : word);
  if (!decision) body->refuse("'decision' must be acknowledged, benign or reopen");
  entry.expires = body->time("expires", now);
  if (!entry.expires) entry.expires = body->time("expires_in_seconds", now);
  std::string alert = body->text_or("alert_id", {});
  entry.subject = body->text_or("subject", {});
  if (alert.empty()) {  // what is about an alert may be told by its id alone
    const auto found = control.alerts().find(entry.subject);
    if (found && *found) std::swap(alert, entry.subject);
  }
  if (alert.empty() == entry.subject.empty()) {
    body->refuse(
        "give 'subject', a beacon's identity, a leak's id or an instrument such as "
        "beacon_0@sensor001, or 'alert_id'");
  }
  if (!body->error().empty()) return error_answer(400, body->error());
  entry.decision = *decision;
  call.note.object = alert.empty() ? entry.subject : alert;
  if (const auto before = control.triage().find(entry.subject)) {
    call.note.before = json_text([&](JsonWriter& json) { write_entry(json, *before); });
  }
  if (!alert.empty() && entry.decision == Triage::Decision::acknowledged) {
    return acknowledge(control, alert, entry.author, entry.reason);
  }
  if (!alert.empty()) {  // benign is said of what the alert is about
    const auto found = control.alerts().find(alert);
    if (!found) return error_answer(found.error());
    if (!*found) return error_answer(404, "no alert has this id");
    entry.subject = (*found)->alert.subject;
  }
  const auto source = control.instrument_events().knows_source(entry.subject);
  if (!source) return error_answer(source.error());
  if (*source || control.leaks().find(entry.subject)) {
    if (auto decided = control.triage().decide(entry); !decided) {
      return error_answer(decided.error());
    }
  } else if (auto refused = mute_beacon(control, entry)) {
    return std::move(*refused);
  }
  if (!alert.empty()) {
    if (auto seen = acknowledge(control, alert, entry.author, entry.reason); seen.status != 200) {
      return seen;
    }
  }
  call.note.after = json_text([&](JsonWriter& json) { write_entry(json, entry); });
  return json_answer(call.note.after);
}

HttpResponse withdraw(Control& control, const RouteCall& call) {
  return reopen(control, std::string(call.argument), std::string(call.who), "withdrawn");
}

constexpr RouteParameter kPage[] = {
    {"limit", "integer", "of this page, 1 to 10000; 10000"},
    {"cursor", "string", "`next_cursor` of the page before"},
};

constexpr Route kRoutes[] = {
    {
        .method = "GET",
        .path = "/api/v1/triage",
        .summary = "What people decided of beacons and leaks, as it holds",
        .handle = list,
        .parameters = kPage,
        .response = "`{count, total, triage: [{subject, decision, reason, author, made, expires, "
                    "interval_seconds}], next_cursor}`",
    },
    {
        .method = "POST",
        .path = "/api/v1/triage",
        .summary = "Acknowledges a beacon, a leak or an alert, or marks it benign: no more alerts "
                   "until it expires or is something else: another rhythm or destination; a leak "
                   "that turns two-way, or that was acknowledged and comes back. Of an instrument "
                   "(beacon_0@sensor001): its events make no alerts",
        .role = Role::analyst,
        .handle = decide,
        .body = "`{subject or alert_id, decision: acknowledged|benign|reopen, reason, author, "
                "expires}`; expires is a time or a length such as 30d, and may be left out",
        .response = "what was decided",
    },
    {
        .method = "DELETE",
        .path = "/api/v1/triage/{key}",
        .summary = "Withdraws what was decided of a beacon or a leak",
        .role = Role::analyst,
        .handle = withdraw,
        .response = "`{status}`",
    },
};

}  // namespace

namespace resources {
extern constinit const Resource triage{"triage", kRoutes};
}
}  // namespace beaconry
