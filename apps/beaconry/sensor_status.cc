#include <CLI/CLI.hpp>

#include "sensor/client.h"
#include "sensor/views.h"
#include "subcommand.h"

namespace beaconry::sensor_commands {
namespace {

std::function<int()> define(CLI::App& app) {
  auto all = std::make_shared<bool>(false);
  app.add_flag("--all", *all, "Of health, what is healthy, too, part by part");
  const auto options = SensorOptions::add_to(app);
  return [=] {
    return with_sensor(*options, [&](SensorClient& sensor) -> Result<int> {
      const auto report = sensor.report();
      if (!report) return tl::unexpected<Error>(report.error());
      return say(options->json ? json_line(*report) : sensor_text(*report, *all)) ? kExitDone
                                                                                  : kExitFound;
    });
  };
}

}  // namespace

extern const Subcommand sensor_status;
constinit const Subcommand sensor_status{"status", "Show the sensor and its instruments", define};

}  // namespace beaconry::sensor_commands
