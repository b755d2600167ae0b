#include <nlohmann/json.hpp>

#include "control/answer.h"
#include "control/control.h"
#include "control/query.h"
#include "control/route.h"

namespace beaconry {
namespace {

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

HttpResponse edit(Control& control, const RouteCall& call) {
  std::vector<Error> all;
  const auto before = control.config().current();
  const auto version =
      control.config().edit(call.request.body, std::string(call.who), control.now(), &all);
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
  return changed(control, *before, version, {});
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
        .role = Role::admin,
        .handle = edit,
        .body = "what shall change, in the sections that GET shows. null takes a key back to its "
                "default; with `version` only if that is the one that holds",
        .response = "`{status, version, warnings, config{}}`; 400 with `error` and, where there "
                    "are more, `errors`",
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
        .path = "/api/v1/config/origins",
        .summary = "Every key with its value and where that came from",
        .handle = origins,
        .response = "`{version, values: [{key, value, origin}]}`",
    },
    {
        .method = "POST",
        .path = "/api/v1/config/rollback",
        .summary = "Makes a new version that says what an earlier one said",
        .role = Role::admin,
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
