#include <CLI/CLI.hpp>
#include <cstdio>
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

struct Options {
  std::string name, url, valid = "1h";
};

// The line alone goes to standard output.
Result<void> replace(Server& server, const Options& options) {
  const auto answer =
      server.post("/api/v1/fleet/sensors/" + percent_encoded(options.name) + "/replace",
                  json_object({{"expires", options.valid}, {"url", options.url}}));
  if (!answer) return tl::unexpected<Error>(answer.error());
  const auto line = join_line(*answer);
  if (!line) return tl::unexpected<Error>(line.error());
  std::fprintf(stderr,
               "On the new machine, within %s, once; it takes over the name, the labels and the "
               "document of %s, whose old key counts no more from then on:\n",
               options.valid.c_str(), terminal_safe(options.name).c_str());
  return print(*line + '\n');
}

std::function<int()> define(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("sensor", options->name, "Name or fingerprint of the one that goes")->required();
  app.add_option("--url", options->url,
                 "Where the machine reaches the server, https://name:port [as the server knows]");
  app.add_option("--valid", options->valid, "How long the line can be used")->capture_default_str();
  const auto access = ServerOptions::add_to(app);
  return [=] {
    return with_server(*access, [&](Server& server) { return replace(server, *options); });
  };
}

}  // namespace

extern const Subcommand fleet_replace;
constinit const Subcommand fleet_replace{
    "replace", "Print the line by which other hardware takes a sensor's place", define};

}  // namespace beaconry::fleet_commands
