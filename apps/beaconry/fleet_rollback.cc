#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "base/text.h"
#include "config/document_history.h"
#include "server/access.h"
#include "server/confirm_lost.h"
#include "server/layer.h"
#include "server/listing.h"
#include "subcommand.h"

namespace beaconry::fleet_commands {
namespace {

struct Options {
  std::string target;
  std::uint64_t version = 0;
  bool yes = false, dry_run = false;
};

// Shows what it would change before it is done.
Result<void> roll_back(Server& server, const Options& options) {
  const auto path = layer_path(options.target);
  if (!path) return tl::unexpected<Error>(path.error());
  const std::string to = std::to_string(options.version);
  const auto now = parsed_answer(server.get(*path)),
             then = parsed_answer(server.get(*path, {{"version", to}}));
  if (!now) return tl::unexpected<Error>(now.error());
  if (!then) return tl::unexpected<Error>(then.error());
  const Json before = now->value("document", Json::object()),
             after = then->value("document", Json::object());
  const auto lines = json_diff(before.dump(), after.dump());
  if (lines.empty()) return print("Version " + to + " is as it is now.\n");
  std::string text;
  for (const std::string& line : lines)
    text += terminal_safe(line) + '\n';
  if (auto printed = print(text); !printed || options.dry_run) return printed;
  // Somebody else's change in between refuses both.
  const Json version = now->value("version", Json(0));
  const auto trial = parsed_answer(server.put(
      *path, Json{{"document", after}, {"expected_version", version}, {"dry_run", true}}.dump()));
  if (!trial) return tl::unexpected<Error>(trial.error());
  if (auto meant = confirm_lost(*trial, options.yes); !meant) return meant;
  const auto done = parsed_answer(
      server.post(*path + "/rollback",
                  Json{{"version", options.version}, {"expected_version", version}}.dump()));
  if (!done) return tl::unexpected<Error>(done.error());
  return print(terminal_safe(options.target) + " is at version " + text_at(*done, "version") +
               ", with what version " + to + " had.\n");
}

std::function<int()> define(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("target", options->target, "fleet, group:NAME or sensor:NAME")->required();
  app.add_option("version", options->version, "As `fleet history` shows it")
      ->required()
      ->check(CLI::PositiveNumber);
  app.add_flag("--dry-run", options->dry_run, "Only show what it would change");
  app.add_flag("-y,--yes", options->yes, "Do not ask before instruments go");
  const auto access = ServerOptions::add_to(app);
  return [=] {
    return with_server(*access, [&](Server& server) { return roll_back(server, *options); });
  };
}

}  // namespace

extern const Subcommand fleet_rollback;
constinit const Subcommand fleet_rollback{
    "rollback", "Bring a document's earlier version back, as a new one", define};

}  // namespace beaconry::fleet_commands
