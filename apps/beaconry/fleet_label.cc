#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "http/target.h"
#include "server/access.h"
#include "server/confirm_lost.h"
#include "server/fleet_views.h"
#include "server/layer.h"
#include "server/listing.h"
#include "server/words.h"
#include "subcommand.h"

namespace beaconry::fleet_commands {
namespace {

struct Options {
  std::string name;
  std::vector<std::string> changes;
  bool dry_run = false, yes = false;
};

// Only what changes is sent: who sets one label at the same time keeps it.
Result<void> label(Server& server, const Options& options) {
  const std::string path = "/api/v1/fleet/sensors/" + percent_encoded(options.name);
  const auto labels = label_patch(options.changes);
  if (!labels) return tl::unexpected<Error>(labels.error());
  Json body = {{"labels", *labels}, {"dry_run", true}};
  const auto trial = parsed_answer(server.patch(path, body.dump()));
  if (!trial) return tl::unexpected<Error>(trial.error());
  if (options.dry_run) return print(fleet_change_text(*trial));
  if (auto meant = confirm_lost(*trial, options.yes); !meant) return meant;
  body.erase("dry_run");
  const auto changed = parsed_answer(server.patch(path, body.dump()));
  if (!changed) return tl::unexpected<Error>(changed.error());
  const std::string groups = names_text(list_at(*changed, "groups"), 16);
  return print(text_at(*changed, "name") + ": " + labels_text(changed->value("labels", Json())) +
               (groups.empty() ? "; in no group\n" : "; in " + groups + '\n'));
}

std::function<int()> define(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("sensor", options->name, "Its name or fingerprint")->required();
  app.add_option("labels", options->changes, "KEY=VALUE sets one, KEY- removes it")->required();
  app.add_flag("--dry-run", options->dry_run, "Only show what it would change");
  app.add_flag("-y,--yes", options->yes, "Do not ask before instruments go");
  const auto access = ServerOptions::add_to(app);
  return
      [=] { return with_server(*access, [&](Server& server) { return label(server, *options); }); };
}

}  // namespace

extern const Subcommand fleet_label;
constinit const Subcommand fleet_label{
    "label", "Set and remove a sensor's labels, by which groups know it", define};

}  // namespace beaconry::fleet_commands
