#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "http/target.h"
#include "server/access.h"
#include "server/listing.h"
#include "server/views.h"
#include "subcommand.h"

namespace beaconry::subcommands {
namespace {

std::function<int()> define(CLI::App& app) {
  auto json = std::make_shared<bool>(false);
  auto name = std::make_shared<std::string>();
  app.add_option("EDGE", *name, "One edge with its loss ledger, by name or id");
  app.add_flag("--json", *json, "Print the server's answer as it is");
  const auto access = ServerOptions::add_to(app);
  return [access, json, name] {
    return with_server(*access, [&](Server& server) -> Result<void> {
      const bool is_one = !name->empty();
      const auto answer =
          server.get("/api/v1/edges" + (is_one ? '/' + percent_encoded(*name) : std::string()));
      if (!answer) return tl::unexpected<Error>(answer.error());
      if (is_one && !*json) return print(edge_text(*answer));
      return *json ? print(*answer + '\n') : print(edges_text(*answer));
    });
  };
}

}  // namespace

extern const Subcommand edges;
constinit const Subcommand edges{
    "edges", "List collectors, homes, sensors and what was heard of them", define};

}  // namespace beaconry::subcommands
