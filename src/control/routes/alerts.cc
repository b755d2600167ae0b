#include <algorithm>
#include <chrono>
#include <mutex>

#include "alert/sink.h"
#include "base/text.h"
#include "control/answer.h"
#include "control/control.h"
#include "control/query.h"
#include "control/route.h"
#include "http/certificates.h"

namespace beaconry {
namespace {

std::optional<Severity> severity(Query& query, std::string_view name) {
  const auto given = query.text(name);
  if (!given) return std::nullopt;
  for (const Severity one : {Severity::low, Severity::medium, Severity::high, Severity::critical}) {
    if (ascii_lower(*given) == ascii_lower(to_string(one))) return one;
  }
  query.refuse(std::string(name) + " must be LOW, MEDIUM, HIGH or CRITICAL");
  return std::nullopt;
}

HttpResponse list(Control& control, const RouteCall& call) {
  Query query(call.request);
  Alerts::Query wanted;
  wanted.severity = severity(query, "severity");
  wanted.least = severity(query, "min_severity");
  wanted.kind = query.text("kind").value_or("");
  wanted.subject = query.text("subject").value_or("");
  if (query.text("acknowledged")) wanted.acknowledged = query.flag("acknowledged");
  wanted.limit = query.count("limit", 100, 1, 10'000);
  wanted.before = query.count("cursor", 0, 1, UINT64_MAX);
  if (query.refusal()) return *query.refusal();
  const auto page = control.alerts().page(wanted);
  if (!page) return error_answer(page.error());
  return json_answer(json_text([&](JsonWriter& json) {
    json.begin();
    json.whole("count", page->alerts.size());
    json.whole("total", page->count);
    json.begin_list("alerts");
    for (const Alerts::Kept& kept : page->alerts) {
      std::string alert = to_json(kept.alert);
      if (!kept.acknowledged_by.empty()) {
        alert.pop_back();  // the object's brace
        const std::string more = json_text([&](JsonWriter& inner) {
          inner.begin();
          inner.text("acknowledged_by", kept.acknowledged_by);
          inner.text("acknowledged_reason", kept.acknowledged_words);
          inner.plain("acknowledged_at", to_rfc3339(kept.acknowledged));
          inner.end();
        });
        alert += ',' + more.substr(1);
      }
      json.raw(alert);
    }
    json.end_list();
    json.name("next_cursor");
    page->next == 0 ? json.null() : json.plain(std::to_string(page->next));
    json.end();
  }));
}

HttpResponse remove_one(Control& control, const RouteCall& call) {
  const auto removed = control.alerts().remove(std::string(call.argument));
  if (!removed) return error_answer(removed.error());
  if (!*removed) return error_answer(404, "no alert has this id");
  return json_answer(R"({"status":"deleted","deleted":1})");
}

HttpResponse remove_all(Control& control, const RouteCall&) {
  const auto removed = control.alerts().remove_all();
  if (!removed) return error_answer(removed.error());
  return json_answer(R"({"status":"deleted","deleted":)" + std::to_string(*removed) + "}");
}

// By a sink of its own, made of the configuration as it is: one that hangs on what waits for it is
// what a person wants to know about.
HttpResponse send_test(Control& control, const RouteCall& call) {
  static std::mutex one_at_a_time;  // each holds a thread of the server's until its sink answers
  const std::unique_lock alone(one_at_a_time, std::try_to_lock);
  if (!alone) return busy_answer("another test is on its way; try again in some seconds");
  const auto config = control.config().current();
  const auto all = sinks_table();
  const auto kind = std::find_if(all.begin(), all.end(),
                                 [&](const SinkKind* each) { return each->name == call.argument; });
  if (kind == all.end()) return error_answer(404, "there is no such sink: file, syslog or webhook");
  const std::string name = (*kind)->name;
  call.note.object = name;
  const Timestamp now = control.now();
  const auto begun = std::chrono::steady_clock::now();
  std::string words;
  bool is_delivered = false;
  if (!config->values.boolean("alerting.enabled")) {
    return error_answer(409, "alerts are sent nowhere: set alerting.enabled");
  }
  if (auto sink = (*kind)->make(config->values); !sink) {
    words = sink.error().message();
  } else if (!*sink) {
    return error_answer(409, "it is switched off: set alerting." + name + ".enabled");
  } else {
    Alert alert;
    alert.id = "test-" + random_hex(16);
    alert.kind = "test";
    alert.title = "A test of Beaconry's alerts";
    alert.description = std::string(call.who) +
                        " asked for it, to see whether alerts reach this place. Nothing happened.";
    alert.severity = Severity::low;
    alert.source = "control";
    alert.subject = "sink " + name;
    alert.time = now;
    alert.tags = {"test"};
    const auto delivered = (*sink)->deliver(alert);
    is_delivered = delivered.has_value();
    words = is_delivered ? "it was taken; look for \"" + alert.title + "\" there"
                         : delivered.error().message();
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  call.note.after = is_delivered ? R"({"delivered":true})" : R"({"delivered":false})";
  return json_answer(json_text([&](JsonWriter& json) {
    json.begin();
    json.plain("sink", name);
    json.flag("delivered", is_delivered);
    json.text("words", words);
    json.number("seconds", took.count());
    json.end();
  }));
}

constexpr RouteParameter kParameters[] = {
    {"limit", "integer", "of this page, 1 to 10000; 100"},
    {"severity", "string", "exactly LOW, MEDIUM, HIGH or CRITICAL"},
    {"min_severity", "string", "at least this one"},
    {"kind", "string", "`beacon.new`, `beacon.worse`, `beacon.gone`, `digest`"},
    {"subject", "string", "identity of a pair"},
    {"acknowledged", "boolean", "only those that are, or are not"},
    {"cursor", "string", "`next_cursor` of the page before"},
};

constexpr Route kRoutes[] = {
    {
        .method = "GET",
        .path = "/api/v1/alerts",
        .summary = "Alerts, newest first",
        .handle = list,
        .parameters = kParameters,
        .response = "`{count, total, alerts: [{alert_id, title, description, severity, source, "
                    "details{}, timestamp, tags, kind, subject}], next_cursor}`; acknowledged "
                    "ones also have `acknowledged_by`, `acknowledged_reason`, `acknowledged_at`",
    },
    {
        .method = "DELETE",
        .path = "/api/v1/alerts",
        .summary = "Forgets all alerts; what waits for a sink is still delivered",
        .role = Role::operator_,
        .handle = remove_all,
        .response = "`{status, deleted}`",
    },
    {
        .method = "POST",
        .path = "/api/v1/alerts/sinks/{name}/test",
        .summary = "Sends a test alert by a sink as it is configured and says what came of it",
        .role = Role::operator_,
        .handle = send_test,
        .response = "`{sink, delivered, words, seconds}`, once the sink took it or failed; 409 "
                    "where it is switched off. It is no alert: it is neither kept nor told",
    },
    {
        .method = "DELETE",
        .path = "/api/v1/alerts/{id}",
        .summary = "Forgets one alert",
        .role = Role::operator_,
        .handle = remove_one,
        .response = "`{status, deleted}`",
    },
};

}  // namespace

namespace resources {
extern constinit const Resource alerts{"alerts", kRoutes};
}
}  // namespace beaconry
