#include <CLI/CLI.hpp>

#include "sensor/client.h"
#include "sensor/views.h"
#include "subcommand.h"

namespace beaconry::instrument_commands {
namespace {

std::function<int()> define(CLI::App& app) {
  auto name = std::make_shared<std::string>();
  app.add_option("name", *name, "The instance, such as beacon_0 [the whole sensor]");
  auto all = std::make_shared<bool>(false);
  app.add_flag("--all", *all, "What is healthy, too, part by part");
  const auto options = SensorOptions::add_to(app);
  app.footer("Exit status: 0 healthy, 1 not.");
  return [=] {
    return with_sensor(*options, [&](SensorClient& sensor) -> Result<int> {
      const auto found = name->empty() ? sensor.report() : sensor.instance(*name);
      if (!found) return tl::unexpected<Error>(found.error());
      const Json health = found->value("health", Json::object());
      if (!say(options->json ? json_line(health) : health_text(health, *all))) return kExitFound;
      return text_at(health, "state") == "healthy" ? kExitDone : kExitFound;
    });
  };
}

}  // namespace

extern const Subcommand instrument_health;
constinit const Subcommand instrument_health{
    "health", "Show what is wrong, why, and what to do about it", define};

}  // namespace beaconry::instrument_commands
