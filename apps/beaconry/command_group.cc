#include "command_group.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <utility>
#include <vector>

namespace beaconry {

std::function<int()> define_group(CLI::App& app, std::span<const Subcommand* const> commands) {
  app.require_subcommand(1);
  auto defined = std::make_shared<std::vector<std::pair<CLI::App*, std::function<int()>>>>();
  for (const Subcommand* each : commands) {
    CLI::App* child = app.add_subcommand(each->name, each->summary);
    defined->emplace_back(child, each->define(*child));
  }
  return [defined] {
    for (const auto& [child, run] : *defined) {
      if (child->parsed()) return run();
    }
    return kExitUsage;
  };
}

}  // namespace beaconry
