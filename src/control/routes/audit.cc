#include "control/audit.h"

#include "control/answer.h"
#include "control/control.h"
#include "control/leak_filter.h"
#include "control/query.h"
#include "control/route.h"

namespace beaconry {
namespace {

void write_entry(JsonWriter& json, const Audit::Entry& entry) {
  json.begin();
  json.whole("id", entry.id);
  json.plain("time", to_rfc3339(entry.time));
  json.text("who", entry.who);
  json.plain("role", to_string(entry.role));
  json.text("address", entry.address);
  json.text("action", entry.action);
  json.text("object", entry.object);
  if (!entry.before.empty()) json.name("before"), json.raw(entry.before);
  if (!entry.after.empty()) json.name("after"), json.raw(entry.after);
  json.text("outcome", entry.outcome);
  json.end();
}

HttpResponse list(Control& control, const RouteCall& call) {
  Query query(call.request);
  Audit::Wanted wanted;
  wanted.who = query.text("who");
  wanted.limit = static_cast<std::size_t>(query.count("limit", 100, 1, 1000));
  if (query.text("cursor")) {
    wanted.before = query.count("cursor", 0, 1, std::uint64_t{1} << 62U);
  }
  wanted.since = read_since(query, control.now());
  if (query.refusal()) return *query.refusal();
  const auto entries = control.audit().list(wanted);
  if (!entries) return error_answer(entries.error());
  return json_answer(json_text([&](JsonWriter& json) {
    json.begin();
    json.whole("count", entries->size());
    json.begin_list("entries");
    for (const Audit::Entry& entry : *entries)
      write_entry(json, entry);
    json.end_list();
    json.text_or_null("next_cursor", entries->size() < wanted.limit
                                         ? std::string()
                                         : std::to_string(entries->back().id));
    json.end();
  }));
}

constexpr RouteParameter kParameters[] = {
    {"since", "string", "since then: a time, or a length such as 24h"},
    {"who", "string", "one user's, token's or machine's lines"},
    {"limit", "integer", "of this page, 1 to 1000; 100"},
    {"cursor", "string", "`next_cursor` of the page before"},
};

constexpr Route kRoutes[] = {{
    .method = "GET",
    .path = "/api/v1/audit",
    .summary = "Who changed what, and who logged in or failed to, newest first",
    .role = Role::admin,
    .handle = list,
    .parameters = kParameters,
    .response = "`{count, entries: [{id, time, who, role, address, action, object, before, after, "
                "outcome}], next_cursor}`; action is method and path of the request, outcome "
                "`done` or `refused` and the answer's status; before and after, where they are "
                "told, are without secrets",
}};

}  // namespace

namespace resources {
extern constinit const Resource audit{"audit", kRoutes};
}
}  // namespace beaconry
