#include "server/fleet_order.h"
#include "subcommand.h"

namespace beaconry::fleet_commands {
namespace {

std::function<int()> define(CLI::App& app) {
  return define_fleet_order(app, "approve", "is approved; what it asked for, it may do");
}

}  // namespace

extern const Subcommand fleet_approve;
constinit const Subcommand fleet_approve{
    "approve", "Allow an instrument what its new image may do more", define};

}  // namespace beaconry::fleet_commands
