#include <nlohmann/json.hpp>

#include "base/text.h"
#include "control/answer.h"
#include "control/control.h"
#include "control/fleet_json.h"
#include "control/query.h"
#include "control/route.h"
#include "fleet/document_text.h"

namespace beaconry {
namespace {

// `key`: "document" or "patch", which is what is sent.
Result<Fleet::Edit> read_edit(const RouteCall& call, const std::string& key) {
  constexpr std::size_t kAround = 4096;
  const auto body = parse_object(call.request.body, "the body", kLongestFleetDocument + kAround);
  if (!body) return tl::unexpected<Error>(body.error());
  const auto refuse = [](std::string cause) {
    return fail(ErrorKind::usage, "read", "the body", std::move(cause));
  };
  Fleet::Edit edit;
  edit.target = std::string(call.argument);
  edit.who = std::string(call.who);
  edit.is_patch = key == "patch";
  for (const auto& [name, value] : body->items()) {
    if (name == key) {
      if (!value.is_object()) return refuse('\'' + key + "' is no object");
      edit.document = text_of(value);
    } else if (name == "expected_version") {
      if (value.is_null()) continue;
      if (!value.is_number_unsigned()) return refuse("'expected_version' is no whole number");
      edit.expected = value.get<std::uint64_t>();
    } else if (name == "dry_run") {
      if (!value.is_boolean()) return refuse("'dry_run' is neither true nor false");
      edit.dry_run = value.get<bool>();
    } else {
      return refuse('\'' + terminal_safe(name) + "' is not one of " + key +
                    ", expected_version, dry_run");
    }
  }
  if (edit.document.empty()) return refuse('\'' + key + "' is required");
  return edit;
}

HttpResponse edit(Control& control, const RouteCall& call) {
  const auto wanted = read_edit(call, call.request.method == "PATCH" ? "patch" : "document");
  if (!wanted) return error_answer(wanted.error());
  if (wanted->dry_run) call.note.object = wanted->target + " (a trial)";
  return edited_answer(call, control.fleet().edit(*wanted, control.now()));
}

HttpResponse show(Control& control, const RouteCall& call) {
  Query query(call.request);
  std::optional<std::uint64_t> version;
  if (query.text("version")) version = query.count("version", 1, 1, FleetStore::kMostVersion);
  if (query.refusal()) return *query.refusal();
  const auto found = control.fleet().document(std::string(call.argument), version);
  if (!found) return error_answer(found.error());
  return json_answer(json_text([&](JsonWriter& json) {
    json.begin();
    json.text("target", found->target);
    json.whole("version", found->version.number);
    json.name("time");
    found->version.number == 0 ? json.null() : json.plain(to_rfc3339(found->version.time));
    json.text_or_null("who", found->version.who);
    json.text_or_null("how", found->version.how);
    json.name("document");
    json.raw(found->version.json);
    json.begin_list("sensors");
    for (const std::string& name : found->sensors)
      json.text(name);
    json.end_list();
    json.whole_or_null("rollout", found->rollout);
    json.end();
  }));
}

HttpResponse history(Control& control, const RouteCall& call) {
  const auto versions = control.fleet().history(std::string(call.argument));
  if (!versions) return error_answer(versions.error());
  return json_answer(json_text([&](JsonWriter& json) {
    json.begin();
    json.begin_list("versions");
    for (const FleetDocuments::Version& version : *versions) {
      json.begin();
      json.whole("number", version.number);
      json.plain("time", to_rfc3339(version.time));
      json.text("who", version.who);
      json.text("how", version.how);
      json.end();
    }
    json.end_list();
    json.end();
  }));
}

HttpResponse roll_back(Control& control, const RouteCall& call) {
  const auto body = parse_object(call.request.body, "the body");
  if (!body) return error_answer(body.error());
  std::optional<std::uint64_t> version, expected;
  for (const auto& [name, value] : body->items()) {
    if (name != "version" && name != "expected_version")
      return error_answer(400,
                          '\'' + terminal_safe(name) + "' is not one of version, expected_version");
    if (!value.is_number_unsigned()) return error_answer(400, '\'' + name + "' is no whole number");
    (name == "version" ? version : expected) = value.get<std::uint64_t>();
  }
  if (!version) return error_answer(400, "send {\"version\": N} with a version of its history");
  return edited_answer(
      call, control.fleet().roll_back(std::string(call.argument), *version, std::string(call.who),
                                      control.now(), expected));
}

constexpr RouteParameter kVersion[] = {{"version", "integer", "an older one; the one that holds"}};

constexpr std::size_t kMostBody = kLongestFleetDocument + 4096;

constexpr Route kRoutes[] = {
    {
        .method = "GET",
        .path = "/api/v1/fleet/desired/{target}",
        .summary = "A layer of what sensors shall be: `fleet`, `group:NAME` or `sensor:NAME`",
        .handle = show,
        .parameters = kVersion,
        .response = "`{target, version, time, who, how, document{}, sensors[]: that it reaches, "
                    "rollout: the id of the one that is under way}`; version 0: none yet. "
                    "docs/formats/fleet.md has layers",
    },
    {
        .method = "PUT",
        .path = "/api/v1/fleet/desired/{target}",
        .summary = "Another document of a layer: reaches every sensor at once",
        .role = Role::operator_,
        .handle = edit,
        .body = "`{document{}, expected_version, dry_run}`; expected_version: only if that one "
                "holds (0: none yet); dry_run: nothing changes",
        .response =
            "`{version, sensors: that it reaches, changed{name: [\"pointer: before -> "
            "after\"]}: of the first 20, lost[]: instances that go with their data, "
            "`beacon_0@oulu-1`, the first 1000}`; 409 where another version holds, or a rollout "
            "of the layer is under way; 400 names layer and place",
        .most_body = kMostBody,
    },
    {
        .method = "PATCH",
        .path = "/api/v1/fleet/desired/{target}",
        .summary = "The same, of what changes alone",
        .role = Role::operator_,
        .handle = edit,
        .body = "`{patch{}, expected_version, dry_run}`; patch by RFC 7396 over the layer's "
                "document, whose nulls remove a key from it",
        .response = "as of PUT",
        .most_body = kMostBody,
    },
    {
        .method = "GET",
        .path = "/api/v1/fleet/desired/{target}/history",
        .summary = "A layer's versions, newest first, at most 100",
        .handle = history,
        .response = "`{versions: [{number, time, who, how}]}`",
    },
    {
        .method = "POST",
        .path = "/api/v1/fleet/desired/{target}/rollback",
        .summary = "Makes an older document of a layer its newest version",
        .role = Role::operator_,
        .handle = roll_back,
        .body = "`{version, expected_version}`; expected_version: only if that one holds",
        .response = "as of PUT",
    },
};

}  // namespace

namespace resources {
extern constinit const Resource fleet_desired{"fleet_desired", kRoutes};
}
}  // namespace beaconry
