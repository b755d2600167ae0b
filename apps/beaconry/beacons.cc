#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <string>

#include "server/access.h"
#include "server/listing.h"
#include "server/views.h"
#include "subcommand.h"
#include "validators.h"

namespace beaconry::subcommands {
namespace {

struct Options {
  ListOptions list;
  bool json = false;
  std::optional<double> min_score;
};

std::function<int()> define(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("--min-score", options->min_score,
                 "Only scores from here on, 0 to 1 [0: all that the server took for beacons]")
      ->check(number_between(0, 1));
  options->list.add_to(app);
  app.add_flag("--json", options->json, "Print the server's answer as it is");
  const auto access = ServerOptions::add_to(app);
  return [access, options] {
    return with_server(*access, [&](Server& server) -> Result<void> {
      Query query;
      if (options->min_score) query.emplace_back("min_score", std::to_string(*options->min_score));
      const auto answer = get_listing(server, "/api/v1/beacons", query, "beacons", options->list);
      if (!answer) return tl::unexpected<Error>(answer.error());
      if (options->json) return print(*answer + '\n');
      return write_listing(options->list, options->list.wants_csv()
                                              ? beacons_csv(*answer)
                                              : beacons_text(*answer, colour_on_output()));
    });
  };
}

}  // namespace

extern const Subcommand beacons;
constinit const Subcommand beacons{"beacons", "List the beacons that the server found", define};

}  // namespace beaconry::subcommands
