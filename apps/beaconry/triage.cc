#include <CLI/CLI.hpp>
#include <cstdlib>
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
  std::string subject, decision, because, by, until;
};

std::string user_name() {
  const char* user = std::getenv("SUDO_USER");
  if (user == nullptr) user = std::getenv("USER");
  return user == nullptr ? "" : user;
}

std::function<int()> define(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("subject", options->subject,
                 "A pair's key as `beacons --csv` prints it, or an alert's id")
      ->required();
  app.add_option("decision", options->decision,
                 "acknowledge: seen, in work; benign: known and harmless; reopen: neither any more")
      ->required()
      ->check(CLI::IsMember({"acknowledge", "benign", "reopen"}));
  app.add_option("--because", options->because, "The reason, for whoever comes next");
  app.add_option("--by", options->by, "Who decides [the user's name]");
  app.add_option("--until", options->until, "How long it holds: 12h, 30d [for ever]");
  const auto access = ServerOptions::add_to(app);
  return [access, options] {
    return with_server(*access, [&](Server& server) -> Result<void> {
      std::vector<std::pair<std::string, double>> numbers;
      if (!options->until.empty()) {
        const auto seconds = parse_duration_seconds(options->until);
        if (!seconds) {
          return fail(ErrorKind::usage, "read", "--until " + terminal_safe(options->until),
                      "write 12h, 30d or 2w");
        }
        numbers.emplace_back("expires_in_seconds", *seconds);
      }
      const std::string by = options->by.empty() ? user_name() : options->by;
      const auto answer =
          server.post("/api/v1/triage", json_object({{"subject", options->subject},
                                                     {"decision", options->decision},
                                                     {"reason", options->because},
                                                     {"author", by}},
                                                    numbers));
      if (!answer) return tl::unexpected<Error>(answer.error());
      return print(terminal_safe(options->subject) + ": " + options->decision + '\n');
    });
  };
}

}  // namespace

extern const Subcommand triage;
constinit const Subcommand triage{"triage", "Decide about a beacon or an alert", define};

}  // namespace beaconry::subcommands
