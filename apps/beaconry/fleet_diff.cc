#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "http/target.h"
#include "server/access.h"
#include "server/apply.h"
#include "server/fleet_views.h"
#include "server/listing.h"
#include "subcommand.h"

namespace beaconry::fleet_commands {
namespace {

struct Options {
  ApplyOptions layer;
  std::string sensor;
  bool exit_code = false, json = false;
};

Result<Json> sensor_of(Server& server, const std::string& name) {
  return parsed_answer(server.get("/api/v1/fleet/sensors/" + percent_encoded(name)));
}

// Those that are not as wished, each with what differs.
Result<Json> drifted(Server& server, const std::string& sensor) {
  Json found = Json::array();
  if (!sensor.empty()) {
    auto one = sensor_of(server, sensor);
    if (!one) return one;
    found.push_back(std::move(*one));
    return found;
  }
  ListOptions all;
  all.limit = 100'000;
  auto sensors = parsed_answer(get_listing(server, "/api/v1/fleet/sensors", {}, "sensors", all));
  if (!sensors) return sensors;
  for (const Json& each : list_at(*sensors, "sensors")) {
    if (count_at(each, "drift") == 0) continue;
    auto one = sensor_of(server, text_at(each, "fingerprint"));
    if (!one) return one;
    found.push_back(std::move(*one));
  }
  return found;
}

Result<bool> differs(Server& server, const Options& options) {
  if (!options.layer.file.empty()) {
    const auto layer = read_layer(server, options.layer);
    if (!layer) return tl::unexpected<Error>(layer.error());
    const auto answer = try_layer(server, options.layer, *layer);
    if (!answer) return tl::unexpected<Error>(answer.error());
    auto printed = print(options.json ? answer->dump() + '\n' : fleet_change_text(*answer));
    if (!printed) return tl::unexpected<Error>(printed.error());
    const Json changed = answer->value("changed", Json::object());
    return !changed.empty();
  }
  const auto sensors = drifted(server, options.sensor);
  if (!sensors) return tl::unexpected<Error>(sensors.error());
  Json rows = Json::array();
  bool any = false;
  for (const Json& each : *sensors) {
    const Json& lines = list_at(each, "drift");
    any |= !lines.empty();
    rows.push_back({{"sensor", text_at(each, "name")}, {"drift", lines}});
  }
  auto printed = print(options.json ? rows.dump() + '\n' : fleet_drift_text(*sensors));
  if (!printed) return tl::unexpected<Error>(printed.error());
  return any;
}

std::function<int()> define(CLI::App& app) {
  auto options = std::make_shared<Options>();
  options->layer.add_to(app, false);
  app.get_option("file")->required(false)->description(
      "What applying this document would change [how sensors differ from what they shall be]");
  app.add_option("--sensor", options->sensor, "Only of this one, by name or fingerprint")
      ->excludes("file");
  app.add_flag("--exit-code", options->exit_code, "End with 1 where there is a difference");
  app.add_flag("--json", options->json, "As JSON");
  const auto access = ServerOptions::add_to(app);
  return [=] {
    bool any = false;
    const int done = with_server(*access, [&](Server& server) -> Result<void> {
      const auto differ = differs(server, *options);
      if (!differ) return tl::unexpected<Error>(differ.error());
      any = *differ;
      return {};
    });
    return done == kExitDone && any && options->exit_code ? kExitFound : done;
  };
}

}  // namespace

extern const Subcommand fleet_diff;
constinit const Subcommand fleet_diff{
    "diff", "Show how sensors differ from their wish, or what a document would change", define};

}  // namespace beaconry::fleet_commands
