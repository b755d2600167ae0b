#include <CLI/CLI.hpp>
#include <memory>
#include <utility>
#include <vector>

#include "subcommand.h"

namespace beaconry::subcommands {
namespace {

// A group: each of its commands is a file sensor_WORD.cc.
std::function<int()> define(CLI::App& app) {
  app.require_subcommand(1);
  auto commands = std::make_shared<std::vector<std::pair<CLI::App*, std::function<int()>>>>();
  for (const Subcommand* each : sensor_commands_table()) {
    CLI::App* child = app.add_subcommand(each->name, each->summary);
    commands->emplace_back(child, each->define(*child));
  }
  return [commands] {
    for (const auto& [child, run] : *commands) {
      if (child->parsed()) return run();
    }
    return kExitUsage;
  };
}

}  // namespace

extern const Subcommand sensor;
constinit const Subcommand sensor{"sensor", "Set up and watch this machine as a sensor", define};

}  // namespace beaconry::subcommands
