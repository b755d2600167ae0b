#include "server/apply.h"

#include <CLI/CLI.hpp>
#include <cstdio>

#include "base/text.h"
#include "document_file.h"
#include "server/clock.h"
#include "server/confirm_lost.h"
#include "server/fleet_views.h"
#include "server/layer.h"
#include "server/listing.h"
#include "server/words.h"

namespace beaconry {
namespace {

Json body_of(const ApplyOptions& options, const Json& layer) {
  Json body = Json::object();
  body[options.merge ? "patch" : "document"] = layer;
  return body;
}

Result<Json> send_layer(Server& server, const ApplyOptions& options, const Json& body) {
  const auto path = layer_path(options.target);
  if (!path) return tl::unexpected<Error>(path.error());
  return parsed_answer(options.merge ? server.patch(*path, body.dump())
                                     : server.put(*path, body.dump()));
}

// "30m" as seconds; an error names the option.
Result<void> put_seconds(Json& body, const char* key, const char* option,
                         const std::string& length) {
  if (length.empty()) return {};
  const auto seconds = parse_duration_seconds(length);
  if (!seconds) {
    return fail(ErrorKind::usage, "read", std::string(option) + ' ' + terminal_safe(length),
                "write a length such as 90s, 5m or 2h");
  }
  body[key] = *seconds;
  return {};
}

}  // namespace

void ApplyOptions::add_to(CLI::App& app, bool rollout) {
  app.add_option("file", file, "Document in YAML or JSON: {instances: …}; - reads standard input")
      ->required();
  app.add_option("--to", target, "Whose document it is: fleet, group:NAME or sensor:NAME")
      ->capture_default_str();
  app.add_flag("--merge", merge,
               "Lay it over the document that holds, instead of taking its place; null removes");
  if (!rollout) return;
  app.add_flag("--dry-run", dry_run, "Only show what it would change");
  app.add_flag("-y,--yes", yes, "Do not ask before instruments go");
  app.add_flag("--json", json, "Print the server's answer as it is");
  constexpr const char* kGroup = "Rollout";
  app.add_option("--canary", canary, "So many sensors must be well with it before others begin")
      ->group(kGroup);
  app.add_option("--max-parallel", max_parallel, "Sensors that change at once")->group(kGroup);
  app.add_option("--max-failures", max_failures, "More failures than this stop it")->group(kGroup);
  app.add_option("--min-healthy-time", min_healthy_time,
                 "Well with it for so long is done: 90s, 5m")
      ->group(kGroup);
  app.add_option("--healthy-deadline", healthy_deadline, "Not done within this has failed: 30m")
      ->group(kGroup);
  app.add_flag("--no-auto-revert", no_auto_revert,
               "Who fails keeps it, and a stopped rollout waits for a person")
      ->group(kGroup);
}

bool ApplyOptions::wants_rollout() const {
  return canary || max_parallel || max_failures || !min_healthy_time.empty() ||
         !healthy_deadline.empty() || no_auto_revert;
}

Result<Json> read_layer(Server& server, const ApplyOptions& options) {
  auto layer = read_document(options.file);
  if (!layer || !names_images(*layer)) return layer;
  const auto images = parsed_answer(server.get("/api/v1/fleet/images"));
  if (!images) return tl::unexpected<Error>(images.error());
  const auto lines = resolve_images(*layer, *images);
  if (!lines) return tl::unexpected<Error>(lines.error());
  for (const std::string& line : *lines)
    std::fprintf(stderr, "%s\n", line.c_str());
  return layer;
}

Result<Json> try_layer(Server& server, const ApplyOptions& options, const Json& layer) {
  Json body = body_of(options, layer);
  body["dry_run"] = true;
  return send_layer(server, options, body);
}

Result<void> apply_layer(Server& server, const ApplyOptions& options) {
  const auto layer = read_layer(server, options);
  if (!layer) return tl::unexpected<Error>(layer.error());
  const auto changes = try_layer(server, options, *layer);
  if (!changes) return tl::unexpected<Error>(changes.error());
  if (options.dry_run) {
    return print(options.json ? changes->dump() + '\n' : fleet_change_text(*changes));
  }
  if (!options.json) {
    if (auto printed = print(fleet_change_text(*changes)); !printed) return printed;
  }
  if (auto meant = confirm_lost(*changes, options.yes); !meant) return meant;
  // What was shown is what is done: somebody else's change in between refuses it.
  Json body = body_of(options, *layer);
  body["expected_version"] = count_at(*changes, "version");
  const auto done = send_layer(server, options, body);
  if (!done) return tl::unexpected<Error>(done.error());
  if (options.json) return print(done->dump() + '\n');
  return print(terminal_safe(options.target) + " is at version " + text_at(*done, "version") +
               ".\n");
}

Result<void> start_rollout(Server& server, const ApplyOptions& options) {
  if (auto good = layer_path(options.target); !good) return tl::unexpected<Error>(good.error());
  const auto layer = read_layer(server, options);
  if (!layer) return tl::unexpected<Error>(layer.error());
  Json body = body_of(options, *layer);
  body["target"] = utf8_valid(options.target);
  const auto put = [&](const char* key, const std::optional<std::uint64_t>& value) {
    if (value) body[key] = *value;
  };
  put("canary", options.canary);
  put("max_parallel", options.max_parallel);
  put("max_failures", options.max_failures);
  if (options.no_auto_revert) body["auto_revert"] = false;
  if (auto good =
          put_seconds(body, "min_healthy_time", "--min-healthy-time", options.min_healthy_time);
      !good) {
    return good;
  }
  if (auto good =
          put_seconds(body, "healthy_deadline", "--healthy-deadline", options.healthy_deadline);
      !good) {
    return good;
  }
  if (options.dry_run) {
    body["dry_run"] = true;
  } else {
    const auto changes = try_layer(server, options, *layer);
    if (!changes) return tl::unexpected<Error>(changes.error());
    if (auto meant = confirm_lost(*changes, options.yes); !meant) return meant;
    body["expected_version"] = count_at(*changes, "version");
  }
  const auto begun = parsed_answer(server.post("/api/v1/fleet/rollouts", body.dump()));
  if (!begun) return tl::unexpected<Error>(begun.error());
  if (options.json) return print(begun->dump() + '\n');
  if (options.dry_run) return print(fleet_rollout_text(*begun, clock_now()));
  const std::string id = text_at(*begun, "id");
  return print(fleet_rollout_text(*begun, clock_now()) + "\n`beaconry fleet rollout show " + id +
               " --follow` shows it as it goes.\n");
}

}  // namespace beaconry
