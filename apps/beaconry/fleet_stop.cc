#include "server/fleet_order.h"
#include "subcommand.h"

namespace beaconry::fleet_commands {
namespace {

std::function<int()> define(CLI::App& app) {
  return define_fleet_order(app, "stop", "is wished to stand still");
}

}  // namespace

extern const Subcommand fleet_stop;
constinit const Subcommand fleet_stop{"stop", "Wish that an instrument stands still", define};

}  // namespace beaconry::fleet_commands
