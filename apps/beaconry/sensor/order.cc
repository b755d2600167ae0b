#include "sensor/order.h"

#include <CLI/CLI.hpp>

#include "sensor/views.h"
#include "subcommand.h"

namespace beaconry {

std::shared_ptr<InstanceOptions> InstanceOptions::add_to(CLI::App& app, bool waits) {
  auto options = std::make_shared<InstanceOptions>();
  app.add_option("name", options->name, "The instance, such as beacon_0")->required();
  if (waits) {
    app.add_flag("--no-wait", options->no_wait, "Do not wait until it is so");
    app.add_option("--timeout", options->seconds, "How many seconds to wait")
        ->check(CLI::Range(1, 86'400))
        ->capture_default_str();
  }
  return options;
}

Result<int> tell_instance(SensorClient& sensor, const SensorOptions& options,
                          const std::string& name) {
  const auto instance = sensor.instance(name);
  if (!instance) return tl::unexpected<Error>(instance.error());
  const bool told = say(options.json ? json_line(*instance) : name + ": " + state_words(*instance));
  return told ? kExitDone : kExitFound;
}

std::function<int()> define_order(CLI::App& app, const char* word,
                                  Waited (*look)(const Json& before, const Json& now)) {
  const auto instance = InstanceOptions::add_to(app);
  const auto options = SensorOptions::add_to(app);
  return [=, path_end = '/' + std::string(word)] {
    return with_sensor(*options, [&](SensorClient& sensor) -> Result<int> {
      const auto before = sensor.instance(instance->name);
      if (!before) return tl::unexpected<Error>(before.error());
      const auto done = sensor.ask("POST", instance_path(instance->name, path_end));
      if (!done) return tl::unexpected<Error>(done.error());
      if (!instance->no_wait) {
        const auto waited = wait_for(sensor, instance->name, instance->patience(),
                                     [&](const Json& now) { return look(*before, now); });
        if (!waited) return tl::unexpected<Error>(waited.error());
      }
      return tell_instance(sensor, *options, instance->name);
    });
  };
}

}  // namespace beaconry
