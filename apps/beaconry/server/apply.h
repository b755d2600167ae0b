#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "server/access.h"
#include "server/json_rows.h"

namespace beaconry {

// A document of a layer on its way to the server: `fleet apply`, `fleet rollout start` and, without
// doing it, `fleet diff FILE`.
struct ApplyOptions {
  std::string file, target = "fleet";
  bool merge = false, dry_run = false, yes = false, json = false, no_auto_revert = false;
  std::optional<std::uint64_t> canary, max_parallel, max_failures;
  std::string min_healthy_time, healthy_deadline;

  // The file, --to and --merge; `rollout`: also how it goes over the sensors.
  void add_to(CLI::App& app, bool rollout);
  bool wants_rollout() const;
};

// The file's document, its images by SHA-256. Tells of those on standard error.
Result<Json> read_layer(Server& server, const ApplyOptions& options);
// What it would change: the answer of a dry run.
Result<Json> try_layer(Server& server, const ApplyOptions& options, const Json& layer);
// At once at all sensors that it reaches, after showing what that changes.
Result<void> apply_layer(Server& server, const ApplyOptions& options);
// Sensor after sensor.
Result<void> start_rollout(Server& server, const ApplyOptions& options);

}  // namespace beaconry
