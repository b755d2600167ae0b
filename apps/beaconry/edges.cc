#include <CLI/CLI.hpp>
#include <memory>

#include "server/access.h"
#include "server/listing.h"
#include "server/views.h"
#include "subcommand.h"

namespace beaconry::subcommands {
namespace {

std::function<int()> define(CLI::App& app) {
  auto json = std::make_shared<bool>(false);
  app.add_flag("--json", *json, "Print the server's answer as it is");
  const auto access = ServerOptions::add_to(app);
  return [access, json] {
    return with_server(*access, [&](Server& server) -> Result<void> {
      const auto answer = server.get("/api/v1/edges");
      if (!answer) return tl::unexpected<Error>(answer.error());
      return *json ? print(*answer + '\n') : print(edges_text(*answer));
    });
  };
}

}  // namespace

extern const Subcommand edges;
constinit const Subcommand edges{
    "edges", "List collectors, homes, sensors and what was heard of them", define};

}  // namespace beaconry::subcommands
