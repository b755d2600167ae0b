#include "command_group.h"

namespace beaconry::subcommands {
namespace {

// Each of its commands is a file sensor_WORD.cc.
std::function<int()> define(CLI::App& app) {
  return define_group(app, sensor_commands_table());
}

}  // namespace

extern const Subcommand sensor;
constinit const Subcommand sensor{"sensor", "Set up and watch this machine as a sensor", define};

}  // namespace beaconry::subcommands
