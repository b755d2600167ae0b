#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "server/access.h"
#include "server/fleet_views.h"
#include "server/layer.h"
#include "server/listing.h"
#include "subcommand.h"

namespace beaconry::fleet_commands {
namespace {

struct Options {
  std::string target = "fleet";
  std::uint64_t version = 0;
  bool json = false;
};

// The document of one version, or the list of them.
Result<void> show(Server& server, const Options& options) {
  const auto path = layer_path(options.target);
  if (!path) return tl::unexpected<Error>(path.error());
  if (options.version == 0) {
    return print_answer(server.get(*path + "/history"), options.json,
                        [](const std::string& answer) { return fleet_versions_text(answer); });
  }
  return print_answer(server.get(*path, {{"version", std::to_string(options.version)}}),
                      options.json, [](const std::string& answer) {
                        return from(answer, [](const Json& json) {
                          return json.value("document", Json::object()).dump(2, ' ', true) + '\n';
                        });
                      });
}

std::function<int()> define(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("target", options->target, "fleet, group:NAME or sensor:NAME")
      ->capture_default_str();
  app.add_option("--version", options->version, "Print the document of this one instead")
      ->check(CLI::PositiveNumber);
  app.add_flag("--json", options->json, "Print the server's answer as it is");
  const auto access = ServerOptions::add_to(app);
  return
      [=] { return with_server(*access, [&](Server& server) { return show(server, *options); }); };
}

}  // namespace

extern const Subcommand fleet_history;
constinit const Subcommand fleet_history{
    "history", "List a document's versions: when, who and how; or print one", define};

}  // namespace beaconry::fleet_commands
