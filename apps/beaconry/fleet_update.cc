#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "base/text.h"
#include "http/target.h"
#include "server/access.h"
#include "server/ask.h"
#include "server/listing.h"
#include "subcommand.h"

namespace beaconry::fleet_commands {
namespace {

Result<void> update(Server& server, const std::string& instance) {
  const auto name = parse_instance(instance);
  if (!name) return tl::unexpected<Error>(name.error());
  const auto answer = wait_for_sensor(
      server, server.post("/api/v1/fleet/instances/" + percent_encoded(instance) + "/update", ""),
      name->sensor);
  if (!answer) return tl::unexpected<Error>(answer.error());
  const std::string words = text_at(*answer, "text");
  return print(terminal_safe(instance) + ": " +
               (words.empty() ? "it looks for newer files now" : words) + '\n');
}

std::function<int()> define(CLI::App& app) {
  auto instance = std::make_shared<std::string>();
  app.add_option("instrument", *instance, "Such as beacon_0@sensor001")->required();
  const auto access = ServerOptions::add_to(app);
  return [=] {
    return with_server(*access, [&](Server& server) { return update(server, *instance); });
  };
}

}  // namespace

extern const Subcommand fleet_update;
constinit const Subcommand fleet_update{"update", "Have an instrument's files looked for anew, now",
                                        define};

}  // namespace beaconry::fleet_commands
