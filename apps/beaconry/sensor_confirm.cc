#include <CLI/CLI.hpp>

#include "sensor/client.h"
#include "subcommand.h"

namespace beaconry::sensor_commands {
namespace {

std::function<int()> define(CLI::App& app) {
  const auto options = SensorOptions::add_to(app);
  return [=] {
    return with_sensor(*options, [&](SensorClient& sensor) -> Result<int> {
      const auto done = sensor.ask("POST", "/v1/management/confirm");
      if (!done) return tl::unexpected<Error>(done.error());
      const bool said = options->json ? say("{}") : say("The management network stays as it is.");
      return said ? kExitDone : kExitFound;
    });
  };
}

}  // namespace

extern const Subcommand sensor_confirm;
constinit const Subcommand sensor_confirm{
    "confirm", "Keep a management network that is on trial, which else goes back", define};

}  // namespace beaconry::sensor_commands
