#include <CLI/CLI.hpp>

#include "sensor/order.h"
#include "subcommand.h"

namespace beaconry::instrument_commands {
namespace {

Waited look(const Json&, const Json& now) {
  return is_stopped(now);
}

std::function<int()> define(CLI::App& app) {
  return define_order(app, "stop", look);
}

}  // namespace

extern const Subcommand instrument_stop;
constinit const Subcommand instrument_stop{"stop", "Stop an instance; it stays stopped", define};

}  // namespace beaconry::instrument_commands
