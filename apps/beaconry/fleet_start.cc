#include "server/fleet_order.h"
#include "subcommand.h"

namespace beaconry::fleet_commands {
namespace {

std::function<int()> define(CLI::App& app) {
  return define_fleet_order(app, "start", "is wished to run");
}

}  // namespace

extern const Subcommand fleet_start;
constinit const Subcommand fleet_start{"start", "Wish that an instrument runs", define};

}  // namespace beaconry::fleet_commands
