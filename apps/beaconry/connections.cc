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
  std::string source, destination;
};

std::function<int()> define(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("--src", options->source, "Only this source: an address or a block");
  app.add_option("--dst", options->destination, "Only this destination: an address or a block");
  options->list.add_to(app);
  const auto access = ServerOptions::add_to(app);
  return [access, options] {
    return with_server(*access, [&](Server& server) -> Result<void> {
      Query query;
      add_given(query, "src_ip", options->source);
      add_given(query, "dst_ip", options->destination);
      const auto answer = get_listing(server, "/api/v1/connections", query, "pairs", options->list);
      if (!answer) return tl::unexpected<Error>(answer.error());
      return write_listing(options->list, options->list.wants_csv() ? connections_csv(*answer)
                                                                    : connections_text(*answer));
    });
  };
}

}  // namespace

extern const Subcommand connections;
constinit const Subcommand connections{"connections", "List who talks to whom, scored or not",
                                       define};

}  // namespace beaconry::subcommands
