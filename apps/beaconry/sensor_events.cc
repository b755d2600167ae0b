#include <CLI/CLI.hpp>

#include "sensor/event_list.h"
#include "subcommand.h"

namespace beaconry::sensor_commands {
namespace {

std::function<int()> define(CLI::App& app) {
  return define_event_list(app, false);
}

}  // namespace

extern const Subcommand sensor_events;
constinit const Subcommand sensor_events{
    "events", "List what the sensor and its instruments told, newest last", define};

}  // namespace beaconry::sensor_commands
