#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "base/text.h"
#include "beaconry_version.h"
#include "config_source.h"
#include "dry_run.h"
#include "escape/evidence_commands.h"
#include "run.h"

namespace beaconry {
namespace {

constexpr int kDone = 0, kFailed = 1, kUsage = 2, kAnswered = 3;

int complain(const Error& error) {
  std::fprintf(stderr, "beaconry-escape: %s\n", terminal_safe(error.message()).c_str());
  return error.kind == ErrorKind::usage || error.kind == ErrorKind::malformed ? kUsage : kFailed;
}

int print(const std::string& text) {
  std::fputs(text.c_str(), stdout);
  return std::fflush(stdout) == 0 ? kDone : kFailed;
}

struct Arguments {
  std::string interface, config, evidence, dry_run;
  std::vector<std::string> embed;
  bool once = false, plan = false, list_methods = false, listen = false;
  EvidenceArguments files;
};

int probe(const Arguments& arguments) {
  auto config = read_probe_config(arguments.config);
  if (!config) return complain(config.error());
  if (!arguments.evidence.empty()) config->evidence = arguments.evidence;
  config->listen = config->listen || arguments.listen;
  if (arguments.plan) return print(plan_page(*config, arguments.interface));
  if (!arguments.dry_run.empty()) {
    const auto ran = dry_run(*config, arguments.interface, arguments.dry_run);
    if (!ran) return complain(ran.error());
    return print(plan_page(*config, arguments.interface) + '\n' + *ran);
  }
  if (arguments.interface.empty()) {
    return complain({ErrorKind::usage, "start", "",
                     "an interface is needed: --interface NAME; `ip link` lists them"});
  }
  const auto outcome = run_probe(*config, arguments.interface, arguments.once);
  if (!outcome) return complain(outcome.error());
  return arguments.once && outcome->answered ? kAnswered : kDone;
}

int run(int argc, char** argv) {
  CLI::App app{
      "Tries to get out of an isolated network by every method it knows, within a strict budget. "
      "What arrives at its home outside is a leak."};
  app.name("beaconry-escape");
  app.set_version_flag("--version", std::string("beaconry-escape " BEACONRY_VERSION) +
                                        (*BEACONRY_REVISION ? " (" BEACONRY_REVISION ")" : ""));
  Arguments arguments;
  app.add_option("-i,--interface,interface", arguments.interface, "The interface to try from");
  app.add_option("-c,--config", arguments.config,
                 "The configuration, YAML or the line of 'beaconry probes add'; - for standard "
                 "input (default: $BEACONRY_ESCAPE_CONFIG holds it, else this program's own file, "
                 "see --embed)");
  app.add_flag("--once", arguments.once, "One short cycle now, then a table of the methods");
  app.add_flag("--plan", arguments.plan,
               "Print the page to approve: what, to whom, how often; send nothing");
  app.add_option("--dry-run", arguments.dry_run,
                 "Write what one short cycle would send into this pcap file, and print the page; "
                 "send nothing");
  app.add_flag("--list-methods", arguments.list_methods, "Describe each method in a line");
  app.add_flag("--listen", arguments.listen, "Take pings of its peers, too");
  app.add_option("--evidence", arguments.evidence, "File that keeps what was tried, signed");
  app.add_option("--embed", arguments.embed,
                 "CONFIG OUT: write a copy of this program that holds the configuration")
      ->expected(2);
  CLI::App* verifying =
      app.add_subcommand("verify", "Check evidence: every link of its chain and every signature");
  verifying->add_option("file", arguments.files.files, "What --evidence wrote")->required();
  verifying->add_option("--key", arguments.files.keys,
                        "The public signing key that it must be signed by, 64 hex digits");
  CLI::App* reporting = app.add_subcommand("report", "Say what was tried, what was not and why");
  reporting->add_option("file", arguments.files.files, "Evidence of one probe or of several")
      ->required();
  reporting->add_option("--key", arguments.files.keys,
                        "The public signing key of each probe: a record of another is refused");
  reporting->add_flag("--json", arguments.files.json, "As JSON");
  reporting->add_flag("--matrix", arguments.files.matrix, "Which probe heard which, zone to zone");
  app.footer(
      "Signals: SIGTERM, SIGINT and SIGHUP end it, with its evidence sealed.\n"
      "Exit status: 0 done, 1 it could not run, or evidence was changed, 2 usage or "
      "configuration,\n"
      "3 with --once: home answered, a way out is open in both directions, 4 with verify: true as\n"
      "far as it is signed, but the end is not that of a probe that was stopped.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kDone : kUsage;
  }
  if (verifying->parsed()) return verify_command(arguments.files);
  if (reporting->parsed()) return report_command(arguments.files);
  if (arguments.list_methods) return print(methods_text());
  if (!arguments.embed.empty()) {
    const auto done = embed_config(arguments.embed[0], arguments.embed[1]);
    return done ? kDone : complain(done.error());
  }
  return probe(arguments);
}

}  // namespace
}  // namespace beaconry

int main(int argc, char** argv) {
  return beaconry::run(argc, argv);
}
