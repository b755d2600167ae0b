#include <CLI/CLI.hpp>

#include "sensor/client.h"
#include "sensor/views.h"
#include "subcommand.h"

namespace beaconry::sensor_commands {
namespace {

struct Options {
  bool history = false;
  std::optional<std::uint64_t> version, roll_back;
};

std::function<int()> define(CLI::App& app) {
  auto wanted = std::make_shared<Options>();
  app.add_option("--version", wanted->version, "An earlier one")->check(CLI::PositiveNumber);
  app.add_flag("--history", wanted->history, "List the versions, who made them and how");
  app.add_option("--rollback", wanted->roll_back, "Make this version the desired state again")
      ->check(CLI::PositiveNumber);
  const auto options = SensorOptions::add_to(app);
  return [=] {
    return with_sensor(*options, [&](SensorClient& sensor) -> Result<int> {
      if (wanted->roll_back) {
        const auto done = sensor.ask("POST", "/v1/desired/rollback",
                                     "{\"to\": " + std::to_string(*wanted->roll_back) + "}");
        if (!done) return tl::unexpected<Error>(done.error());
      }
      const std::string version =
          wanted->version ? "?version=" + std::to_string(*wanted->version) : "";
      const auto answer =
          sensor.get(wanted->history ? "/v1/desired/versions" : "/v1/desired" + version);
      if (!answer) return tl::unexpected<Error>(answer.error());
      if (wanted->history && !options->json) {
        return say(document_versions_text(*answer)) ? kExitDone : kExitFound;
      }
      const Json& shown = options->json || wanted->history ? *answer : answer->at("desired");
      return say(json_line(shown)) ? kExitDone : kExitFound;
    });
  };
}

}  // namespace

extern const Subcommand sensor_desired;
constinit const Subcommand sensor_desired{
    "desired", "Show what the sensor shall be, its history, or go back in it", define};

}  // namespace beaconry::sensor_commands
