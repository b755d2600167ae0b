#include <CLI/CLI.hpp>

#include "server/access.h"
#include "server/listing.h"
#include "subcommand.h"

namespace beaconry::subcommands {
namespace {

std::function<int()> define(CLI::App& app) {
  const auto access = ServerOptions::add_to(app);
  return [access] {
    return with_server(*access, [](Server& server) -> Result<void> {
      const auto answer = server.get("/api/v1/health");
      if (!answer) return tl::unexpected<Error>(answer.error());
      return print(*answer + '\n');
    });
  };
}

}  // namespace

extern const Subcommand health;
constinit const Subcommand health{"health", "Say whether the server is well; status 1 if it is not",
                                  define};

}  // namespace beaconry::subcommands
