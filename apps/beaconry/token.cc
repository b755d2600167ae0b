#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "base/text.h"
#include "http/target.h"
#include "server/access.h"
#include "server/listing.h"
#include "server/requests.h"
#include "server/views.h"
#include "subcommand.h"

namespace beaconry::subcommands {
namespace {

struct Options {
  std::string name, role = "read", expires;
};

Result<void> create(Server& server, const Options& options) {
  const auto answer = server.post(
      "/api/v1/tokens",
      json_object({{"name", options.name}, {"role", options.role}, {"expires", options.expires}}));
  if (!answer) return tl::unexpected<Error>(answer.error());
  const auto token = member_of(*answer, "token");
  if (!token) return tl::unexpected<Error>(token.error());
  std::fputs("Keep it now: it is not shown again.\n", stderr);
  return print(*token + '\n');
}

std::function<int()> define(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.require_subcommand(1);
  CLI::App* creating = app.add_subcommand("create", "Make a token and print it once");
  creating->add_option("name", options->name, "What it is for, as lists show it")->required();
  creating
      ->add_option("--role", options->role,
                   "read: ask; analyst: also judge; operator: also configure; "
                   "ingest: send telemetry; admin: all")
      ->check(CLI::IsMember({"read", "ingest", "analyst", "operator", "admin"}))
      ->capture_default_str();
  creating->add_option("--expires", options->expires, "How long it holds: 12h, 30d [for ever]");
  CLI::App* listing = app.add_subcommand("list", "List tokens, without their secrets");
  CLI::App* revoking = app.add_subcommand("revoke", "Take a token back");
  revoking->add_option("name", options->name, "As `token list` shows it")->required();
  const auto access = ServerOptions::add_to(app);
  for (CLI::App* child : {creating, listing, revoking})
    child->fallthrough();
  return [=] {
    return with_server(*access, [&](Server& server) -> Result<void> {
      if (creating->parsed()) return create(server, *options);
      if (listing->parsed()) {
        const auto answer = server.get("/api/v1/tokens");
        if (!answer) return tl::unexpected<Error>(answer.error());
        return print(tokens_text(*answer));
      }
      const auto answer = server.remove("/api/v1/tokens/" + percent_encoded(options->name));
      if (!answer) return tl::unexpected<Error>(answer.error());
      return print(terminal_safe(options->name) + " is revoked\n");
    });
  };
}

}  // namespace

extern const Subcommand token;
constinit const Subcommand token{"token", "Make, list and revoke the server's tokens", define};

}  // namespace beaconry::subcommands
