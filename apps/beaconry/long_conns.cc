#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "server/access.h"
#include "server/listing.h"
#include "server/pages.h"
#include "server/views.h"
#include "subcommand.h"
#include "validators.h"

namespace beaconry::subcommands {
namespace {

// What the server takes: 366 days.
constexpr double kLongest = 366 * 86'400.0;

struct Options {
  ListOptions list;
  double min_duration = 3600;
};

std::function<int()> define(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("--min-duration", options->min_duration, "Open for at least so many seconds")
      ->capture_default_str()
      ->check(number_between(0, kLongest));
  options->list.add_to(app, kMostOfAPage);
  const auto access = ServerOptions::add_to(app);
  return [access, options] {
    return with_server(*access, [&](Server& server) -> Result<void> {
      Query query = {{"min_duration", std::to_string(options->min_duration)}};
      if (options->list.limit) query.emplace_back("limit", std::to_string(*options->list.limit));
      const auto answer = server.get("/api/v1/long-connections", query);
      if (!answer) return tl::unexpected<Error>(answer.error());
      return write_listing(options->list, options->list.wants_csv()
                                              ? long_connections_csv(*answer)
                                              : long_connections_text(*answer));
    });
  };
}

}  // namespace

extern const Subcommand long_conns;
constinit const Subcommand long_conns{
    "long-conns", "List connections that have been open for long and still are", define};

}  // namespace beaconry::subcommands
