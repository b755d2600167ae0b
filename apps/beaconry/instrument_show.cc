#include <CLI/CLI.hpp>

#include "sensor/order.h"
#include "sensor/views.h"
#include "subcommand.h"

namespace beaconry::instrument_commands {
namespace {

std::function<int()> define(CLI::App& app) {
  const auto instance = InstanceOptions::add_to(app, false);
  const auto options = SensorOptions::add_to(app);
  return [=] {
    return with_sensor(*options, [&](SensorClient& sensor) -> Result<int> {
      const auto found = sensor.instance(instance->name);
      if (!found) return tl::unexpected<Error>(found.error());
      return say(options->json ? json_line(*found) : instance_text(*found)) ? kExitDone
                                                                            : kExitFound;
    });
  };
}

}  // namespace

extern const Subcommand instrument_show;
constinit const Subcommand instrument_show{"show", "Show all that is known of an instance", define};

}  // namespace beaconry::instrument_commands
