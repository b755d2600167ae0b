#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "base/text.h"
#include "http/target.h"
#include "sensor/views.h"
#include "server/access.h"
#include "server/clock.h"
#include "server/fleet_views.h"
#include "server/listing.h"
#include "subcommand.h"

namespace beaconry::fleet_commands {
namespace {

struct Options {
  std::string name;
  bool origin = false, all = false, json = false;
};

// beacon_0 of "beacon_0@sensor001": of what the sensor told.
Result<std::string> instance_of(const Json& sensor, const std::string& instance) {
  const Json* reported = &sensor;
  for (int deep = 0; deep < 2; ++deep) {  // in its envelope, or without
    const auto inner = reported->find("reported");
    if (inner == reported->end() || !inner->is_object()) break;
    reported = &*inner;
  }
  for (const Json& each : list_at(*reported, "instances")) {
    if (text_at(each, "name") == instance) return instance_text(each);
  }
  return fail(ErrorKind::not_found, "show", terminal_safe(instance),
              text_at(sensor, "name") + " told of no such instrument; `beaconry fleet show " +
                  text_at(sensor, "name") + "` lists them");
}

std::function<int()> define(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("sensor", options->name,
                 "Its name or fingerprint; beacon_0@sensor001 shows one of its instruments")
      ->required();
  app.add_flag("--origin", options->origin,
               "What is wished of it, and the layer that each value is from");
  app.add_flag("--all", options->all, "Also the parts that are healthy");
  app.add_flag("--json", options->json, "Print the server's answer as it is");
  const auto access = ServerOptions::add_to(app);
  return [=] {
    return with_server(*access, [&](Server& server) -> Result<void> {
      const std::size_t at = options->name.find('@');
      const std::string name =
          at == std::string::npos ? options->name : options->name.substr(at + 1);
      const auto answer = server.get("/api/v1/fleet/sensors/" + percent_encoded(name));
      if (!answer) return tl::unexpected<Error>(answer.error());
      if (options->json) return print(*answer + '\n');
      const auto sensor = parse_answer(*answer);
      if (!sensor) return tl::unexpected<Error>(sensor.error());
      if (options->origin) return print(fleet_origin_text(*sensor));
      if (at != std::string::npos) return print(instance_of(*sensor, options->name.substr(0, at)));
      return print(fleet_sensor_text(*sensor, clock_now(), options->all));
    });
  };
}

}  // namespace

extern const Subcommand fleet_show;
constinit const Subcommand fleet_show{
    "show", "Show a sensor: its health, instruments, drift, and where its wish is from", define};

}  // namespace beaconry::fleet_commands
