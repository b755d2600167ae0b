#include <CLI/CLI.hpp>

#include "server/apply.h"
#include "subcommand.h"

namespace beaconry::fleet_commands {
namespace {

std::function<int()> define(CLI::App& app) {
  auto options = std::make_shared<ApplyOptions>();
  options->add_to(app, true);
  const auto access = ServerOptions::add_to(app);
  return [=] {
    return with_server(*access, [&](Server& server) {
      return options->wants_rollout() ? start_rollout(server, *options)
                                      : apply_layer(server, *options);
    });
  };
}

}  // namespace

extern const Subcommand fleet_apply;
constinit const Subcommand fleet_apply{
    "apply", "Say what sensors shall be: at once, or as a rollout with its options", define};

}  // namespace beaconry::fleet_commands
