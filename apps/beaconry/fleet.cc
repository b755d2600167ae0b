#include "command_group.h"

namespace beaconry::subcommands {
namespace {

// Each of its commands is a file fleet_WORD.cc.
std::function<int()> define(CLI::App& app) {
  return define_group(app, fleet_commands_table());
}

}  // namespace

extern const Subcommand fleet;
constinit const Subcommand fleet{"fleet", "Watch and change many sensors through the server",
                                 define};

}  // namespace beaconry::subcommands
