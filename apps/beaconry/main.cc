#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "beaconry_version.h"
#include "subcommand.h"

int main(int argc, char** argv) {
  using namespace beaconry;
  CLI::App app{
      "Beaconry finds beacons on a network: malware that calls home, in captures, in logs, and "
      "live with "
      "a server."};
  app.name("beaconry");
  app.set_version_flag("--version", std::string("beaconry " BEACONRY_VERSION) +
                                        (*BEACONRY_REVISION ? " (" BEACONRY_REVISION ")" : ""));
  app.require_subcommand(1);
  std::vector<std::pair<CLI::App*, std::function<int()>>> runs;
  for (const Subcommand* subcommand : subcommands_table()) {
    CLI::App* child = app.add_subcommand(subcommand->name, subcommand->summary);
    runs.emplace_back(child, subcommand->define(*child));
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitDone : kExitUsage;
  }
  for (const auto& [child, run] : runs) {
    if (child->parsed()) return run();
  }
  return kExitUsage;
}
