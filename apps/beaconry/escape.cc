#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "base/text.h"
#include "escape/evidence_commands.h"
#include "subcommand.h"

namespace beaconry::subcommands {
namespace {

std::function<int()> define(CLI::App& app) {
  auto arguments = std::make_shared<EvidenceArguments>();
  app.require_subcommand(1);
  CLI::App* verifying = app.add_subcommand(
      "verify", "Check a probe's evidence: every link of its chain and every signature");
  verifying->add_option("file", arguments->files, "What beaconry-escape --evidence wrote")
      ->required();
  verifying->add_option("--key", arguments->keys,
                        "The probe's public signing key, 64 hex digits, that it must be signed by");
  CLI::App* reporting = app.add_subcommand(
      "report", "Say what was tried, what was not and why; files are verified first");
  reporting->add_option("file", arguments->files, "Evidence of one probe or of several")
      ->required();
  reporting->add_option("--key", arguments->keys,
                        "The public signing key of each probe: a record of another is refused");
  reporting->add_flag("--json", arguments->json, "As JSON");
  reporting->add_flag("--matrix", arguments->matrix, "Which probe heard which, zone to zone");
  app.footer(
      "Exit status: 0 true and whole, 1 changed or unreadable, 4 true as far as it is signed,\n"
      "but the end is not that of a probe that was stopped (verify only).");
  return
      [=] { return verifying->parsed() ? verify_command(*arguments) : report_command(*arguments); };
}

}  // namespace

extern const Subcommand escape;
constinit const Subcommand escape{"escape", "Check and read the evidence of probes", define};

}  // namespace beaconry::subcommands
