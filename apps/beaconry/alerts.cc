#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "server/access.h"
#include "server/listing.h"
#include "server/views.h"
#include "subcommand.h"

namespace beaconry::subcommands {
namespace {

struct Options {
  ListOptions list;
  bool json = false;
  std::string severity;
};

std::function<int()> define(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("--severity", options->severity, "Only this severity")
      ->check(CLI::IsMember({"low", "medium", "high", "critical"}, CLI::ignore_case));
  options->list.add_to(app);
  app.add_flag("--json", options->json, "Print the server's answer as it is");
  const auto access = ServerOptions::add_to(app);
  return [access, options] {
    return with_server(*access, [&](Server& server) -> Result<void> {
      Query query;
      add_given(query, "severity", options->severity);
      const auto answer = get_listing(server, "/api/v1/alerts", query, "alerts", options->list);
      if (!answer) return tl::unexpected<Error>(answer.error());
      if (options->json) return print(*answer + '\n');
      return write_listing(options->list, options->list.wants_csv()
                                              ? alerts_csv(*answer)
                                              : alerts_text(*answer, colour_on_output()));
    });
  };
}

}  // namespace

extern const Subcommand alerts;
constinit const Subcommand alerts{"alerts", "List the alerts, the newest first", define};

}  // namespace beaconry::subcommands
