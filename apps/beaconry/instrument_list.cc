#include <CLI/CLI.hpp>

#include "sensor/client.h"
#include "sensor/views.h"
#include "subcommand.h"

namespace beaconry::instrument_commands {
namespace {

std::function<int()> define(CLI::App& app) {
  const auto options = SensorOptions::add_to(app);
  return [=] {
    return with_sensor(*options, [&](SensorClient& sensor) -> Result<int> {
      const auto report = sensor.report();
      if (!report) return tl::unexpected<Error>(report.error());
      const Json& instances = list_at(*report, "instances");
      const bool told = say(options->json ? json_line(instances) : instances_text(*report));
      return told ? kExitDone : kExitFound;
    });
  };
}

}  // namespace

extern const Subcommand instrument_list;
constinit const Subcommand instrument_list{"list", "List instances with state and health", define};

}  // namespace beaconry::instrument_commands
