#include <CLI/CLI.hpp>

#include "sensor/order.h"
#include "subcommand.h"

namespace beaconry::instrument_commands {
namespace {

Waited look(const Json& before, const Json& now) {
  // What it was before it was started is no answer.
  const bool unchanged = text_at(before, "state") == text_at(now, "state") &&
                         text_at(before, "since") == text_at(now, "since");
  if (unchanged && text_at(now, "state") != "RUNNING") return {};
  return is_well(now, {});
}

std::function<int()> define(CLI::App& app) {
  return define_order(app, "start", look);
}

}  // namespace

extern const Subcommand instrument_start;
constinit const Subcommand instrument_start{
    "start", "Start an instance that was stopped or is broken", define};

}  // namespace beaconry::instrument_commands
