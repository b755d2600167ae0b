#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "base/text.h"
#include "http/target.h"
#include "server/access.h"
#include "server/listing.h"
#include "server/requests.h"
#include "subcommand.h"

namespace beaconry::subcommands {
namespace {

struct Options {
  std::string subject, decision, because, until;
};

// Pairs have keys with an arrow, leaks 16 hex digits; alerts have longer ids.
bool is_subject(const std::string& subject) {
  constexpr std::size_t kLeakDigits = 16;
  const bool is_leak = subject.size() == kLeakDigits &&
                       subject.find_first_not_of("0123456789abcdef") == std::string::npos;
  return is_leak || subject.find("->") != std::string::npos;
}

Result<std::string> decide(Server& server, const Options& options) {
  if (options.decision == "reopen") {
    return server.remove("/api/v1/triage/" + percent_encoded(options.subject));
  }
  return server.post(
      "/api/v1/triage",
      json_object({{is_subject(options.subject) ? "subject" : "alert_id", options.subject},
                   {"decision", options.decision == "benign" ? "benign" : "acknowledged"},
                   {"reason", options.because},
                   {"expires", options.until}}));
}

std::function<int()> define(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("subject", options->subject,
                 "A beacon's identity as `beacons --csv` prints it, a leak's id or an alert's")
      ->required();
  app.add_option("decision", options->decision,
                 "acknowledge: seen, in work; benign: known and harmless; reopen: neither any more")
      ->required()
      ->check(CLI::IsMember({"acknowledge", "benign", "reopen"}));
  app.add_option("--because", options->because, "The reason, for whoever comes next");
  app.add_option("--until", options->until,
                 "How long it holds: 12h, 30d, 2026-12-31T00:00:00Z [for ever]");
  const auto access = ServerOptions::add_to(app);
  return [access, options] {
    return with_server(*access, [&](Server& server) -> Result<void> {
      const auto answer = decide(server, *options);
      if (!answer) return tl::unexpected<Error>(answer.error());
      return print(terminal_safe(options->subject) + ": " + options->decision + '\n');
    });
  };
}

}  // namespace

extern const Subcommand triage;
constinit const Subcommand triage{"triage", "Decide about a beacon, a leak or an alert", define};

}  // namespace beaconry::subcommands
