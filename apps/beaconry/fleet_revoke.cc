#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "base/text.h"
#include "http/target.h"
#include "sensor/confirm.h"
#include "server/access.h"
#include "server/listing.h"
#include "subcommand.h"

namespace beaconry::fleet_commands {
namespace {

struct Options {
  std::string name;
  bool yes = false;
};

std::function<int()> define(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("sensor", options->name, "Its name or fingerprint")->required();
  app.add_flag("-y,--yes", options->yes, "Do not ask");
  const auto access = ServerOptions::add_to(app);
  return [=] {
    return with_server(*access, [&](Server& server) -> Result<void> {
      const std::string name = terminal_safe(options->name);
      const auto meant =
          is_meant("Its key counts no more and it is forgotten. Revoke " + name + "?",
                   "its key would count no more and " + name + " be forgotten", options->yes);
      if (!meant) return tl::unexpected<Error>(meant.error());
      if (!*meant) return fail(ErrorKind::io, "", "", "nothing was changed");
      const auto gone = server.remove("/api/v1/fleet/sensors/" + percent_encoded(options->name));
      if (!gone) return tl::unexpected<Error>(gone.error());
      return print(name + " is revoked\n");
    });
  };
}

}  // namespace

extern const Subcommand fleet_revoke;
constinit const Subcommand fleet_revoke{
    "revoke", "A sensor's key counts no more, at once; it is forgotten", define};

}  // namespace beaconry::fleet_commands
