#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "server/access.h"
#include "server/clock.h"
#include "server/fleet_views.h"
#include "server/listing.h"
#include "subcommand.h"

namespace beaconry::fleet_commands {
namespace {

struct Options {
  std::string state, labels, text;
  bool json = false;
  ListOptions list;
};

std::function<int()> define(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("--state", options->state, "Only those that are so")
      ->check(CLI::IsMember({"healthy", "unhealthy", "updating", "offline", "inactive"},
                            CLI::ignore_case));
  app.add_option("--labels", options->labels,
                 "Only those that this selector fits: site=oulu,role!=lab,!spare");
  app.add_option("--text", options->text, "Only those that have this in name, address or why");
  app.add_flag("--json", options->json, "Print the server's answer as it is");
  options->list.add_to(app);
  const auto access = ServerOptions::add_to(app);
  return [=] {
    return with_server(*access, [&](Server& server) -> Result<void> {
      Query query;
      add_given(query, "state", options->state);
      add_given(query, "labels", options->labels);
      add_given(query, "text", options->text);
      const auto answer =
          get_listing(server, "/api/v1/fleet/sensors", query, "sensors", options->list);
      if (!answer) return tl::unexpected<Error>(answer.error());
      if (options->json) return print(*answer + '\n');
      return write_listing(options->list, options->list.wants_csv()
                                              ? fleet_sensors_csv(*answer)
                                              : fleet_sensors_text(*answer, clock_now()));
    });
  };
}

}  // namespace

extern const Subcommand fleet_sensors;
constinit const Subcommand fleet_sensors{
    "sensors", "List the sensors: how each is, since when and why", define};

}  // namespace beaconry::fleet_commands
