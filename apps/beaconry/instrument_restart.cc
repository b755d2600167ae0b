#include <CLI/CLI.hpp>

#include "sensor/order.h"
#include "subcommand.h"

namespace beaconry::instrument_commands {
namespace {

Waited look(const Json& before, const Json& now) {
  if (count_at(now, "starts") <= count_at(before, "starts")) return {};
  return is_well(now, {});
}

std::function<int()> define(CLI::App& app) {
  return define_order(app, "restart", look);
}

}  // namespace

extern const Subcommand instrument_restart;
constinit const Subcommand instrument_restart{"restart", "Stop and start an instance", define};

}  // namespace beaconry::instrument_commands
