#include <nlohmann/json.hpp>

#include "base/text.h"
#include "config/keys.h"
#include "control/allow_preview.h"
#include "control/answer.h"
#include "control/config_edit.h"
#include "control/control.h"
#include "control/query.h"
#include "control/route.h"

namespace beaconry {
namespace {

std::string_view word_of(ConfigType type) {
  switch (type) {
    case ConfigType::boolean:
      return "boolean";
    case ConfigType::count:
      return "count";
    case ConfigType::number:
      return "number";
    case ConfigType::duration:
      return "duration";
    case ConfigType::size:
      return "size";
    case ConfigType::text:
      return "text";
    case ConfigType::texts:
      return "texts";
    case ConfigType::entries:
      return "entries";
    case ConfigType::records:
      break;
  }
  return "records";
}

bool has_range(ConfigType type) {
  return type == ConfigType::count || type == ConfigType::number || type == ConfigType::duration ||
         type == ConfigType::size;
}

HttpResponse show(Control& control, const RouteCall& call) {
  Query query(call.request);
  const bool with_origins = query.flag("origin");
  if (query.refusal()) return *query.refusal();
  std::string body = control.config().to_json();
  if (with_origins) {
    const auto all = nlohmann::json::parse(control.config().origins_json(), nullptr, false);
    nlohmann::json origins = nlohmann::json::object();
    if (all.is_object() && all.contains("values")) {
      for (const auto& value : all["values"])
        origins[value.value("key", "")] = value.value("origin", "");
    }
    const std::string dumped = origins.dump();
    body.replace(body.rfind('}'), 1, ",\"origins\":" + dumped + "}");
  }
  return json_answer(std::move(body));
}

HttpResponse origins(Control& control, const RouteCall&) {
  return json_answer(control.config().origins_json());
}

// The configuration as it now holds, behind what became of the change.
HttpResponse changed(Control& control, const HuntConfig& before,
                     const Result<std::uint64_t>& version, const std::vector<Error>& all) {
  if (!version) {
    HttpResponse response = error_answer(version.error());
    if (all.size() > 1) {
      response.body = json_text([&](JsonWriter& json) {
        json.begin();
        json.text("error", version.error().message());
        json.begin_list("errors");
        for (const Error& error : all)
          json.text(error.message());
        json.end_list();
        json.end();
      });
    }
    return response;
  }
  std::vector<std::string> warnings = control.config().warnings();
  if (auto applied = control.apply_config(); !applied) {
    warnings.push_back(applied.error().message());
  }
  const std::string restart = Control::read_at_start(before, *control.config().current());
  if (!restart.empty()) warnings.push_back("these changes need a restart: " + restart);
  return json_answer(json_text([&](JsonWriter& json) {
    json.begin();
    json.plain("status", "updated");
    json.whole("version", *version);
    json.begin_list("warnings");
    for (const std::string& warning : warnings)
      json.text(warning);
    json.end_list();
    json.name("config");
    json.raw(control.config().to_json());
    json.end();
  }));
}

// What the newest version changed, as its history shows it, for the audit log.
void note_change(Control& control, const RouteCall& call, std::uint64_t version) {
  call.note.object = "version " + std::to_string(version);
  const auto newest = control.config().versions(1, 0);
  if (!newest || newest->empty() || newest->front().number != version) return;
  const auto told = [&](const auto& value_of) {
    return json_text([&](JsonWriter& json) {
      json.begin();
      for (const auto& change : newest->front().changes) {
        const std::string& value = value_of(change);
        json.key(change.key);
        json.raw(value.empty() ? "null" : value);
      }
      json.end();
    });
  };
  using Change = std::decay_t<decltype(newest->front().changes.front())>;
  call.note.before = told([](const Change& change) -> const std::string& { return change.before; });
  call.note.after = told([](const Change& change) -> const std::string& { return change.after; });
}

HttpResponse edit(Control& control, const RouteCall& call) {
  std::vector<Error> all;
  const auto before = control.config().current();
  const auto version =
      control.config().edit(call.request.body, std::string(call.who), control.now(), &all);
  if (version) note_change(control, call, *version);
  return changed(control, *before, version, all);
}

HttpResponse roll_back(Control& control, const RouteCall& call) {
  const auto body = nlohmann::json::parse(call.request.body, nullptr, false);
  if (!body.is_object() || !body.contains("version") || !body["version"].is_number_unsigned()) {
    return error_answer(400, R"(send {"version": N}; /api/v1/config/history lists them)");
  }
  const auto before = control.config().current();
  const auto version = control.config().roll_back(body["version"].get<std::uint64_t>(),
                                                  std::string(call.who), control.now());
  if (version) note_change(control, call, *version);
  return changed(control, *before, version, {});
}

// The keys that POST takes, for whoever makes a form of them.
HttpResponse schema(Control&, const RouteCall&) {
  const ConfigSchema all = config_schema();
  return json_answer(json_text([&](JsonWriter& json) {
    json.begin();
    json.begin_list("keys");
    for (const ConfigKey& key : all.keys()) {
      if (!is_editable(key.path) || !key.same_as.empty()) continue;
      const std::string_view weight = weight_word(key.path);
      json.begin();
      json.plain("key", weight.empty() ? std::string(key.path) : "weights." + std::string(weight));
      json.plain("type", word_of(key.type));
      json.text("words", key.words);
      json.text("takes", expectation(key));
      json.text_or_null("default", key.fallback);
      json.name("least");
      has_range(key.type) ? json.number(key.least) : json.null();
      json.name("most");
      has_range(key.type) && key.most < 1e18 ? json.number(key.most) : json.null();
      json.begin_list("choices");
      for (const std::string_view choice : split(key.choices, '|')) {
        if (!choice.empty()) json.text(choice);
      }
      json.end_list();
      json.flag("secret", key.secret);
      json.end();
    }
    json.end_list();
    json.end();
  }));
}

// What the allow-list of an edit would hide, before it is posted.
HttpResponse preview(Control& control, const RouteCall& call) {
  Query query(call.request);
  const std::uint64_t days = query.count("days", 7, 1, 365);
  if (query.refusal()) return *query.refusal();
  std::vector<Error> all;
  const auto holds = control.config().current();
  const auto wanted = control.config().preview(call.request.body, &all);
  if (!wanted) return error_answer(wanted.error());
  const Timestamp since = control.now() - std::chrono::hours{24} * static_cast<std::int64_t>(days);
  const auto hidden = AllowPreview::make(holds->allow, (*wanted)->allow, control.beacons(),
                                         control.alerts(), since);
  if (!hidden) return error_answer(hidden.error());
  return json_answer(json_text([&](JsonWriter& json) {
    json.begin();
    json.plain("since", to_rfc3339(since));
    json.whole("beacons_hidden", hidden->beacons);
    json.begin_list("beacons");
    for (const BeaconRow& row : hidden->first_beacons) {
      json.begin();
      json.text("identity", row.identity);
      json.text_or_null("src_name", row.src_name);
      json.number("combined_score", row.score);
      json.plain("severity", to_string(static_cast<Severity>(row.severity)));
      json.plain("last_seen", to_rfc3339(row.last_seen));
      json.end();
    }
    json.end_list();
    json.whole("alerts_hidden", hidden->alerts);
    json.whole("alerts_looked_at", hidden->alerts_looked_at);
    json.begin_list("alerts");
    for (const Alert& alert : hidden->first_alerts) {
      json.begin();
      json.text("alert_id", alert.id);
      json.text("title", alert.title);
      json.plain("severity", to_string(alert.severity));
      json.plain("timestamp", to_rfc3339(alert.time));
      json.end();
    }
    json.end_list();
    json.end();
  }));
}

HttpResponse history(Control& control, const RouteCall& call) {
  Query query(call.request);
  const auto limit = query.count("limit", 50, 1, 1000);
  const auto before = query.count("cursor", 0, 1, UINT64_MAX);
  if (query.refusal()) return *query.refusal();
  const auto versions = control.config().versions(limit, before);
  if (!versions) return error_answer(versions.error());
  return json_answer(json_text([&](JsonWriter& json) {
    json.begin();
    json.whole("count", versions->size());
    json.whole("current", control.config().version());
    json.begin_list("versions");
    for (const ConfigHistory::Version& version : *versions) {
      json.begin();
      json.whole("version", version.number);
      json.plain("time", to_rfc3339(version.time));
      json.text("who", version.who);
      json.text("how", version.how);
      json.text("words", version.words);
      std::string all;
      for (const auto& change : version.changes) {
        all +=
            (all.empty() ? "" : ", ") + change.key + ": " + change.before + " -> " + change.after;
      }
      json.text("change", all.empty() ? version.words : all);
      json.begin_list("changes");
      for (const auto& change : version.changes) {
        json.begin();
        json.text("key", change.key);
        json.name("before");
        json.raw(change.before.empty() ? "null" : change.before);
        json.name("after");
        json.raw(change.after.empty() ? "null" : change.after);
        json.end();
      }
      json.end_list();
      json.end();
    }
    json.end_list();
    json.name("next_cursor");
    versions->size() < limit ? json.null() : json.plain(std::to_string(versions->back().number));
    json.end();
  }));
}

constexpr RouteParameter kShow[] = {
    {"origin", "boolean", "also `origins`: where each value came from, by key"},
};
constexpr RouteParameter kPage[] = {
    {"limit", "integer", "of this page, 1 to 1000; 50"},
    {"cursor", "string", "`next_cursor` of the page before"},
};

constexpr RouteParameter kPreview[] = {
    {"days", "integer", "of alerts, back from now; 7"},
};

constexpr Route kRoutes[] = {
    {
        .method = "GET",
        .path = "/api/v1/config",
        .summary = "The configuration that holds; secrets are hidden",
        .handle = show,
        .parameters = kShow,
        .response = "`{version, detection{}, weights{cv, periodicity, jitter, size}, alerting{}, "
                    "whitelist{}}`",
    },
    {
        .method = "POST",
        .path = "/api/v1/config",
        .summary = "Changes it: all that is sent, or nothing",
        .role = Role::operator_,
        .handle = edit,
        .body = "what shall change, in the sections that GET shows. null takes a key back to its "
                "default; with `version` only if that is the one that holds",
        .response = "`{status, version, warnings, config{}}`; 400 with `error` and, where there "
                    "are more, `errors`",
    },
    {
        .method = "POST",
        .path = "/api/v1/config/preview",
        .summary = "What the allow-list of a change would hide that the one that holds does not; "
                   "nothing is changed",
        .role = Role::analyst,
        .handle = preview,
        .parameters = kPreview,
        .body = "as POST /api/v1/config",
        .response = "`{since, beacons_hidden, beacons: [{identity, src_name, combined_score, "
                    "severity, last_seen}], alerts_hidden, alerts_looked_at, alerts: [{alert_id, "
                    "title, severity, timestamp}]}`; the first 50 of each",
    },
    {
        .method = "GET",
        .path = "/api/v1/config/history",
        .summary = "Its versions, newest first",
        .handle = history,
        .parameters = kPage,
        .response =
            "`{count, current, versions: [{version, time, who, how, words, change, changes: "
            "[{key, before, after}]}], next_cursor}`",
    },
    {
        .method = "GET",
        .path = "/api/v1/config/schema",
        .summary = "Every key that can be changed at run time: what it takes and what it means",
        .handle = schema,
        .response = "`{keys: [{key, type: boolean|count|number|duration|size|text|texts|entries, "
                    "words, takes, default, least, most, choices[], secret}]}`; durations in "
                    "seconds, sizes in bytes",
    },
    {
        .method = "GET",
        .path = "/api/v1/config/origins",
        .summary = "Every key with its value and where that came from",
        .handle = origins,
        .response = "`{version, values: [{key, value, origin}]}`",
    },
    {
        .method = "POST",
        .path = "/api/v1/config/rollback",
        .summary = "Makes a new version that says what an earlier one said",
        .role = Role::operator_,
        .handle = roll_back,
        .body = "`{version}`",
        .response = "as POST /api/v1/config",
    },
};

}  // namespace

namespace resources {
extern constinit const Resource config{"config", kRoutes};
}
}  // namespace beaconry
