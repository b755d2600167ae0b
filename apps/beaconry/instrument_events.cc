#include <CLI/CLI.hpp>

#include "sensor/event_list.h"
#include "subcommand.h"

namespace beaconry::instrument_commands {
namespace {

std::function<int()> define(CLI::App& app) {
  return define_event_list(app, true);
}

}  // namespace

extern const Subcommand instrument_events;
constinit const Subcommand instrument_events{"events", "List what instruments told, newest last",
                                             define};

}  // namespace beaconry::instrument_commands
