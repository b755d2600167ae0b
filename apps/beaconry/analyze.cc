#include <CLI/CLI.hpp>

#include "server/access.h"
#include "server/listing.h"
#include "server/views.h"
#include "subcommand.h"

namespace beaconry::subcommands {
namespace {

std::function<int()> define(CLI::App& app) {
  const auto access = ServerOptions::add_to(app);
  return [access] {
    return with_server(*access, [](Server& server) -> Result<void> {
      const auto answer = server.post("/api/v1/analyze", "");
      if (!answer) return tl::unexpected<Error>(answer.error());
      return print(analysis_text(*answer));
    });
  };
}

}  // namespace

extern const Subcommand analyze;
constinit const Subcommand analyze{"analyze", "Let the server score every pair now", define};

}  // namespace beaconry::subcommands
