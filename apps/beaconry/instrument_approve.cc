#include <CLI/CLI.hpp>

#include "sensor/order.h"
#include "subcommand.h"

namespace beaconry::instrument_commands {
namespace {

Waited look(const Json& before, const Json& now) {
  return is_well(now, text_at(before, "wished_image"));
}

std::function<int()> define(CLI::App& app) {
  return define_order(app, "approve", look);
}

}  // namespace

extern const Subcommand instrument_approve;
constinit const Subcommand instrument_approve{
    "approve", "Allow an update to do more than the version before", define};

}  // namespace beaconry::instrument_commands
