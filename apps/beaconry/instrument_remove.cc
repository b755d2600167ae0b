#include <CLI/CLI.hpp>

#include "base/text.h"
#include "sensor/confirm.h"
#include "sensor/order.h"
#include "subcommand.h"

namespace beaconry::instrument_commands {
namespace {

std::function<int()> define(CLI::App& app) {
  const auto instance = InstanceOptions::add_to(app);
  auto yes = std::make_shared<bool>(false);
  app.add_flag("-y,--yes", *yes, "Do not ask");
  const auto options = SensorOptions::add_to(app);
  return [=] {
    return with_sensor(*options, [&](SensorClient& sensor) -> Result<int> {
      const auto before = sensor.instance(instance->name);
      if (!before) return tl::unexpected<Error>(before.error());
      const auto meant =
          is_meant("Remove " + terminal_safe(instance->name) + " with its data?",
                   "the data of " + terminal_safe(instance->name) + " goes with it", *yes);
      if (!meant) return tl::unexpected<Error>(meant.error());
      if (!*meant) return kExitFound;
      const auto done = sensor.ask("DELETE", instance_path(instance->name));
      if (!done) return tl::unexpected<Error>(done.error());
      if (!instance->no_wait) {
        const auto waited =
            wait_for(sensor, instance->name, instance->patience(), [](const Json& now) {
              return Waited{!now.is_object(), {}};
            });
        if (!waited) return tl::unexpected<Error>(waited.error());
      }
      return say(options->json ? *done : instance->name + ": removed") ? kExitDone : kExitFound;
    });
  };
}

}  // namespace

extern const Subcommand instrument_remove;
constinit const Subcommand instrument_remove{"remove", "Remove an instance with its data", define};

}  // namespace beaconry::instrument_commands
