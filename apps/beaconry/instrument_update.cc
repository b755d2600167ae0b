#include <CLI/CLI.hpp>
#include <cstdio>

#include "base/text.h"
#include "sensor/image_choice.h"
#include "sensor/order.h"
#include "sensor/views.h"
#include "subcommand.h"

namespace beaconry::instrument_commands {
namespace {

struct Options {
  std::string name, image;
  bool no_wait = false;
  unsigned seconds = 180;
};

// Its resources, at once; of all instances where none is named.
Result<int> fetch(SensorClient& sensor, const Options& options) {
  std::vector<std::string> names;
  if (!options.name.empty()) {
    names.push_back(options.name);
  } else {
    const auto report = sensor.report();
    if (!report) return tl::unexpected<Error>(report.error());
    for (const Json& each : list_at(*report, "instances"))
      names.push_back(text_at(each, "name"));
  }
  int status = kExitDone;
  for (const std::string& name : names) {
    const auto done = sensor.ask("POST", instance_path(name, "/update"));
    if (done) {
      std::fprintf(stderr, "%s: looks for newer resources\n", name.c_str());
    } else if (names.size() == 1) {
      return tl::unexpected<Error>(done.error());
    } else {
      std::fprintf(stderr, "%s: %s\n", name.c_str(), terminal_safe(done.error().message()).c_str());
      status = kExitFound;
    }
  }
  return status;
}

Result<int> tell_resources(SensorClient& sensor, const SensorOptions& shown,
                           const std::string& name) {
  const auto instance = sensor.instance(name);
  if (!instance) return tl::unexpected<Error>(instance.error());
  if (shown.json) return say(json_line(*instance)) ? kExitDone : kExitFound;
  std::string text;
  for (const Json& each : list_at(*instance, "resources"))
    text += name + ": " + resource_words(each) + '\n';
  if (text.empty()) text = name + ": it wishes for no resources";
  return say(text) ? kExitDone : kExitFound;
}

Result<int> update(SensorClient& sensor, const Options& options, const SensorOptions& shown) {
  const auto patience = std::chrono::seconds{options.seconds};
  if (options.image.empty()) {
    const auto before = options.name.empty() ? Result<Json>(Json()) : sensor.instance(options.name);
    if (!before) return tl::unexpected<Error>(before.error());
    auto status = fetch(sensor, options);
    if (!status || options.name.empty() || *status != kExitDone) return status;
    if (!options.no_wait) {
      const auto waited = wait_for(sensor, options.name, patience,
                                   [&](const Json& now) { return has_looked(*before, now); });
      if (!waited) return tl::unexpected<Error>(waited.error());
    }
    return tell_resources(sensor, shown, options.name);
  }
  const auto image = choose_image(sensor, options.image);
  if (!image) return tl::unexpected<Error>(image.error());
  const Json body = {{"image", image->fingerprint}};
  const auto done = sensor.ask("PATCH", instance_path(options.name), body.dump());
  if (!done) return tl::unexpected<Error>(done.error());
  if (!options.no_wait) {
    const auto waited = wait_for(sensor, options.name, patience,
                                 [&](const Json& now) { return is_well(now, image->fingerprint); });
    if (!waited) return tl::unexpected<Error>(waited.error());
  }
  return tell_instance(sensor, shown, options.name);
}

std::function<int()> define(CLI::App& app) {
  auto wanted = std::make_shared<Options>();
  app.add_option("name", wanted->name, "The instance, such as beacon_0 [all]");
  app.add_option("file", wanted->image,
                 "A newer image, or NAME[:VERSION] of one that the sensor has [its resources are "
                 "looked for at once]");
  app.add_flag("--no-wait", wanted->no_wait, "Do not wait for what comes of it");
  app.add_option("--timeout", wanted->seconds, "How many seconds to wait")
      ->check(CLI::Range(1, 86'400))
      ->capture_default_str();
  const auto options = SensorOptions::add_to(app);
  app.footer(
      "A new image that is not healthy within its deadline is rolled back. One that may do more\n"
      "than the one before waits for 'beaconry instrument approve'.");
  return [=] {
    return with_sensor(*options,
                       [&](SensorClient& sensor) { return update(sensor, *wanted, *options); });
  };
}

}  // namespace

extern const Subcommand instrument_update;
constinit const Subcommand instrument_update{
    "update", "Take a newer image, or look for newer resources now", define};

}  // namespace beaconry::instrument_commands
