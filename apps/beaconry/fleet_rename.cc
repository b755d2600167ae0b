#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "base/text.h"
#include "http/target.h"
#include "server/access.h"
#include "server/listing.h"
#include "server/requests.h"
#include "subcommand.h"

namespace beaconry::fleet_commands {
namespace {

std::function<int()> define(CLI::App& app) {
  auto from = std::make_shared<std::string>(), to = std::make_shared<std::string>();
  app.add_option("sensor", *from, "Its name or fingerprint")->required();
  app.add_option("name", *to, "What people call it from now on")->required();
  const auto access = ServerOptions::add_to(app);
  return [=] {
    return with_server(*access, [&](Server& server) -> Result<void> {
      const auto answer = server.patch("/api/v1/fleet/sensors/" + percent_encoded(*from),
                                       json_object({{"name", *to}}));
      if (!answer) return tl::unexpected<Error>(answer.error());
      return print(terminal_safe(*from) + " is called " + terminal_safe(*to) + '\n');
    });
  };
}

}  // namespace

extern const Subcommand fleet_rename;
constinit const Subcommand fleet_rename{"rename", "Give a sensor another name", define};

}  // namespace beaconry::fleet_commands
