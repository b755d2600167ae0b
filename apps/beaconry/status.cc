#include <CLI/CLI.hpp>
#include <memory>

#include "server/access.h"
#include "server/listing.h"
#include "server/views.h"
#include "subcommand.h"

namespace beaconry::subcommands {
namespace {

std::function<int()> define(CLI::App& app) {
  const auto json = std::make_shared<bool>(false);
  app.add_flag("--json", *json, "Print the server's answer as it is");
  const auto access = ServerOptions::add_to(app);
  return [access, json] {
    return with_server(*access, [&](Server& server) -> Result<void> {
      const auto answer = server.get("/api/v1/status");
      if (!answer) return tl::unexpected<Error>(answer.error());
      if (*json) return print(*answer + '\n');
      return print(status_text(*answer, server.shown_host(), colour_on_output()));
    });
  };
}

}  // namespace

extern const Subcommand status;
constinit const Subcommand status{"status", "Show the server's health and counters", define};

}  // namespace beaconry::subcommands
