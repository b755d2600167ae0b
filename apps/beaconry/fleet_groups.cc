#include <CLI/CLI.hpp>
#include <cstdint>
#include <memory>
#include <string>

#include "base/text.h"
#include "http/target.h"
#include "server/access.h"
#include "server/confirm_lost.h"
#include "server/fleet_views.h"
#include "server/json_rows.h"
#include "server/listing.h"
#include "subcommand.h"

namespace beaconry::fleet_commands {
namespace {

struct Options {
  std::string name, selector;
  std::int64_t priority = 0;
  bool json = false, dry_run = false, yes = false;
};

std::string path_of(const Options& options) {
  return "/api/v1/fleet/groups/" + percent_encoded(options.name);
}

// Shows a trial's answer, or asks where data would go: true where it shall be done.
Result<bool> shall_be_done(const Options& options, const Result<Json>& trial) {
  if (!trial) return tl::unexpected<Error>(trial.error());
  const auto said =
      options.dry_run ? print(fleet_change_text(*trial)) : confirm_lost(*trial, options.yes);
  if (!said) return tl::unexpected<Error>(said.error());
  return !options.dry_run;
}

Result<void> set(Server& server, const Options& options) {
  Json body = {{"selector", utf8_valid(options.selector)},
               {"priority", options.priority},
               {"dry_run", true}};
  const auto go = shall_be_done(options, parsed_answer(server.put(path_of(options), body.dump())));
  if (!go) return tl::unexpected<Error>(go.error());
  if (!*go) return {};
  body.erase("dry_run");
  const auto answer = server.put(path_of(options), body.dump());
  if (!answer) return tl::unexpected<Error>(answer.error());
  return print("group " + terminal_safe(options.name) + " is " + terminal_safe(options.selector) +
               "; `beaconry fleet apply FILE --to group:" + terminal_safe(options.name) +
               "` says what its sensors shall be\n");
}

Result<void> remove(Server& server, const Options& options) {
  const auto go =
      shall_be_done(options, parsed_answer(server.remove(path_of(options) + "?dry_run=true")));
  if (!go) return tl::unexpected<Error>(go.error());
  if (!*go) return {};
  const auto gone = server.remove(path_of(options));
  if (!gone) return tl::unexpected<Error>(gone.error());
  return print("group " + terminal_safe(options.name) + " is removed\n");
}

std::function<int()> define(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.require_subcommand(0, 1);
  CLI::App* listing = app.add_subcommand("list", "List them; as without a word");
  CLI::App* setting = app.add_subcommand("set", "Make one, or say anew whom it has");
  setting->add_option("name", options->name, "What people call it")->required();
  setting
      ->add_option("selector", options->selector,
                   "Labels that its sensors have: site=oulu,role!=lab,!spare")
      ->required();
  setting
      ->add_option("--priority", options->priority,
                   "Of two groups of a sensor the higher one has the last word")
      ->capture_default_str();
  CLI::App* removing = app.add_subcommand("remove", "Remove one and its document");
  removing->add_option("name", options->name, "As `fleet groups list` shows it")->required();
  for (CLI::App* each : {&app, listing})
    each->add_flag("--json", options->json, "Print the server's answer as it is");
  for (CLI::App* each : {setting, removing}) {
    each->add_flag("--dry-run", options->dry_run, "Only show what it would change");
    each->add_flag("-y,--yes", options->yes, "Do not ask before instruments go");
  }
  const auto access = ServerOptions::add_to(app);
  for (CLI::App* child : {listing, setting, removing})
    child->fallthrough();
  return [=] {
    return with_server(*access, [&](Server& server) -> Result<void> {
      if (setting->parsed()) return set(server, *options);
      if (removing->parsed()) return remove(server, *options);
      return print_answer(server.get("/api/v1/fleet/groups"), options->json,
                          [](const std::string& answer) { return fleet_groups_text(answer); });
    });
  };
}

}  // namespace

extern const Subcommand fleet_groups;
constinit const Subcommand fleet_groups{
    "groups", "List, make and remove groups of sensors, by their labels", define};

}  // namespace beaconry::fleet_commands
