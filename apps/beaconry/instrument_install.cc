#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdio>

#include "base/text.h"
#include "document_file.h"
#include "sensor/image_choice.h"
#include "sensor/order.h"
#include "subcommand.h"

namespace beaconry::instrument_commands {
namespace {

struct Options {
  std::string image, as, config, retention;
  std::vector<std::string> interfaces;
  bool allow_unsigned = false, stopped = false, no_wait = false;
  unsigned seconds = 120;
};

// What the sensor is asked for, before anything is changed.
Result<Json> body_of(const Options& options) {
  Json body = {{"running", !options.stopped}};
  if (options.allow_unsigned) body["allow_unsigned"] = true;
  if (!options.interfaces.empty()) body["interfaces"] = Json::array();
  for (const std::string& text : options.interfaces) {
    auto interface = parse_interface(text);
    if (!interface) return interface;
    body["interfaces"].push_back(std::move(*interface));
  }
  if (!options.retention.empty()) {
    constexpr double kHour = 3600, kMost = 20 * 366 * 24;
    const auto seconds = parse_duration_seconds(options.retention);
    if (!seconds || *seconds < kHour || *seconds > kMost * kHour) {
      return fail(ErrorKind::usage, "read", "--retention " + terminal_safe(options.retention),
                  "it is no length of an hour or more, such as 12h or 30d");
    }
    body["retention_hours"] = static_cast<std::uint64_t>(std::ceil(*seconds / kHour));
  }
  if (!options.config.empty()) {
    auto config = read_document(options.config);
    if (!config) return config;
    body["config"] = std::move(*config);
  }
  return body;
}

Result<int> install(SensorClient& sensor, const Options& options, const SensorOptions& shown) {
  auto body = body_of(options);
  if (!body) return tl::unexpected<Error>(body.error());
  const auto image = choose_image(sensor, options.image);
  if (!image) return tl::unexpected<Error>(image.error());
  (*body)["image"] = image->fingerprint;
  std::string name = options.as;
  if (name.empty()) {
    const auto report = sensor.report();
    if (!report) return tl::unexpected<Error>(report.error());
    name = free_instance(*report, image->name);
  }
  const auto made = sensor.ask("POST", instance_path(name),
                               body->dump(-1, ' ', false, Json::error_handler_t::replace));
  if (!made) return tl::unexpected<Error>(made.error());
  if (image->signed_by.empty() && options.allow_unsigned) {
    std::fprintf(stderr, "%s: is allowed although nobody known has signed it (%s)\n", name.c_str(),
                 terminal_safe(image->signature_fault).c_str());
  }
  if (!options.no_wait) {
    const auto waited =
        wait_for(sensor, name, std::chrono::seconds{options.seconds}, [&](const Json& now) {
          return options.stopped ? is_stopped(now) : is_well(now, image->fingerprint);
        });
    if (!waited) return tl::unexpected<Error>(waited.error());
    return tell_instance(sensor, shown, name);
  }
  return say(shown.json ? *made : name + ": wished") ? kExitDone : kExitFound;
}

std::function<int()> define(CLI::App& app) {
  auto install_options = std::make_shared<Options>();
  Options& o = *install_options;
  app.add_option("file", o.image, "The image, or NAME[:VERSION] of one that the sensor has")
      ->required();
  app.add_option("--as", o.as, "The instance's name [NAME_0, or the next that is free]");
  app.add_option("--interface", o.interfaces,
                 "NAME=KIND:PARENT[,address=dhcp|A/P][,gateway=G][,resolver=R]; NAME is the "
                 "manifest's, KIND physical, bridge, macvlan or mirror; may be repeated")
      ->allow_extra_args(false);
  app.add_option("--config", o.config,
                 "File with its configuration, JSON or YAML; - reads standard input [defaults]");
  app.add_option("--retention", o.retention, "How long it keeps data: 12h, 30d [30d]");
  app.add_flag("--allow-unsigned", o.allow_unsigned, "Run it although no pinned key has signed it");
  app.add_flag("--stopped", o.stopped, "Do not start it");
  app.add_flag("--no-wait", o.no_wait, "Do not wait until it runs and is healthy");
  app.add_option("--timeout", o.seconds, "How many seconds to wait")
      ->check(CLI::Range(1, 86'400))
      ->capture_default_str();
  const auto options = SensorOptions::add_to(app);
  return [=] {
    return with_sensor(*options, [&](SensorClient& sensor) {
      return install(sensor, *install_options, *options);
    });
  };
}

}  // namespace

extern const Subcommand instrument_install;
constinit const Subcommand instrument_install{
    "install", "Install an instrument and wait until it runs and is healthy", define};

}  // namespace beaconry::instrument_commands
