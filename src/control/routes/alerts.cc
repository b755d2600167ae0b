#include "base/text.h"
#include "control/answer.h"
#include "control/control.h"
#include "control/query.h"
#include "control/route.h"

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
        .role = Role::admin,
        .handle = remove_all,
        .response = "`{status, deleted}`",
    },
    {
        .method = "DELETE",
        .path = "/api/v1/alerts/{id}",
        .summary = "Forgets one alert",
        .role = Role::admin,
        .handle = remove_one,
        .response = "`{status, deleted}`",
    },
};

}  // namespace

namespace resources {
extern constinit const Resource alerts{"alerts", kRoutes};
}
}  // namespace beaconry
