#include "server/fleet_order.h"
#include "subcommand.h"

namespace beaconry::fleet_commands {
namespace {

std::function<int()> define(CLI::App& app) {
  return define_fleet_order(app, "restart", "is to start again");
}

}  // namespace

extern const Subcommand fleet_restart;
constinit const Subcommand fleet_restart{"restart", "Start an instrument again, also a BROKEN one",
                                         define};

}  // namespace beaconry::fleet_commands
