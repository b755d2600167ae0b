#include <CLI/CLI.hpp>
#include <memory>

#include "server/access.h"
#include "server/clock.h"
#include "server/fleet_views.h"
#include "server/listing.h"
#include "subcommand.h"

namespace beaconry::fleet_commands {
namespace {

std::function<int()> define(CLI::App& app) {
  auto json = std::make_shared<bool>(false);
  app.add_flag("--json", *json, "Print the server's answer as it is");
  const auto access = ServerOptions::add_to(app);
  return [=] {
    return with_server(*access, [&](Server& server) -> Result<void> {
      return print_answer(server.get("/api/v1/fleet"), *json, [](const std::string& answer) {
        return fleet_text(answer, clock_now());
      });
    });
  };
}

}  // namespace

extern const Subcommand fleet_status;
constinit const Subcommand fleet_status{
    "status", "What is wrong, each cause once, and how many sensors are how", define};

}  // namespace beaconry::fleet_commands
