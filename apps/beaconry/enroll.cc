#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "base/text.h"
#include "server/access.h"
#include "server/listing.h"
#include "server/requests.h"
#include "subcommand.h"

namespace beaconry::subcommands {
namespace {

struct Options {
  std::string kind, name, url, valid = "1h";
};

std::function<int()> define(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("kind", options->kind, "collector, home or sensor")
      ->required()
      ->check(CLI::IsMember({"collector", "home", "sensor"}));
  app.add_option("name", options->name, "What people call the machine")->required();
  app.add_option("--url", options->url,
                 "Where that machine reaches the server, https://name:port [as the server knows]");
  app.add_option("--valid", options->valid, "How long the line can be used")->capture_default_str();
  const auto access = ServerOptions::add_to(app);
  return [access, options] {
    return with_server(*access, [&](Server& server) -> Result<void> {
      const auto answer =
          server.post("/api/v1/enrollments", json_object({{"kind", options->kind},
                                                          {"name", options->name},
                                                          {"expires", options->valid},
                                                          {"url", options->url}}));
      if (!answer) return tl::unexpected<Error>(answer.error());
      const auto line = join_line(*answer);
      if (!line) return tl::unexpected<Error>(line.error());
      std::fprintf(stderr, "On %s, within %s, once:\n", terminal_safe(options->name).c_str(),
                   options->valid.c_str());
      return print(*line + '\n');
    });
  };
}

}  // namespace

extern const Subcommand enroll;
constinit const Subcommand enroll{"enroll", "Print the line by which a machine joins the server",
                                  define};

}  // namespace beaconry::subcommands
