#pragma once
#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <string>
#include <utility>

#include "base/log.h"
#include "base/result.h"
#include "base/text.h"
#include "beaconry_version.h"
#include "uplink/join_command.h"

namespace beaconry {

// The command line that all edges have: check, status and join, else the work. An Edge says:
//
//   using Arguments   with config, name, verbose; Settings with read(Arguments), describe(), log
//   kProgram, kKind   "beaconry-home", "home", as `beaconry enroll` calls it
//   kNameOptions, kUsualName        "-n,--name", "the host's name"
//   kAbout, kFooter   of --help
//   kThen             what to do after joining: "Start home, or send it SIGHUP."
//   add_options(app, arguments)     its own ones
//   joining(settings)               who joins
//   status(settings)                what the running program says of itself, JSON
//   using Program     start(arguments, settings), and run() until it is told to end
template <class Edge>
class EdgeMain {
 public:
  static int run(int argc, char** argv) {
    CLI::App app{Edge::kAbout};
    app.name(Edge::kProgram);
    app.set_version_flag("--version", std::string(Edge::kProgram) + " " BEACONRY_VERSION +
                                          (*BEACONRY_REVISION ? " (" BEACONRY_REVISION ")" : ""));
    const std::string kind = Edge::kKind;
    typename Edge::Arguments arguments;
    bool check = false, status = false;
    app.add_option("-c,--config", arguments.config,
                   std::string("The configuration file, YAML (default: ") + kUsualConfig +
                       ", if it is there)")
        ->envname("BEACONRY_CONFIG");
    app.add_option(Edge::kNameOptions, arguments.name,
                   "What this " + kind + " is called (default: " + Edge::kUsualName + ")");
    Edge::add_options(app, arguments);
    app.add_flag("-v,--verbose", arguments.verbose, "Log what helps to find faults, too");
    app.add_flag("--check", check, "Check the configuration, say what would be done, and end");
    app.add_flag("--status", status, "Print what the running " + kind + " says of itself, as JSON");
    app.fallthrough();
    CLI::App* status_command = app.add_subcommand("status", "The same as --status");
    CLI::App* join_command =
        app.add_subcommand("join", "Become known to a server: the line that 'beaconry enroll " +
                                       kind + " NAME' prints");
    JoinArguments join;
    join_command->add_option("URL", join.url, "https://server:9090")->required();
    join_command->add_option("--ca", join.ca, "SHA256:... of the server's CA")->required();
    join_command->add_option("--token-file", join.token_file,
                             "File that holds the token; - for standard input");
    app.footer(std::string(Edge::kFooter) +
               "\nExit status: 0 done, 1 it could not run, 2 usage or configuration.");
    try {
      app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
      return app.exit(error) == 0 ? 0 : kUsage;
    }
    std::error_code ignored;
    if (arguments.config.empty() && std::filesystem::exists(kUsualConfig, ignored)) {
      arguments.config = kUsualConfig;
    }
    auto settings = Edge::Settings::read(arguments);
    if (!settings) return complain(settings.error());
    if (status || status_command->parsed()) return print(Edge::status(*settings));
    if (check) return print(describe(*settings));
    if (join_command->parsed()) return join_as(*settings, join);
    if (auto opened = open_log(settings->log); !opened) return complain(opened.error());
    auto program = Edge::Program::start(std::move(arguments), std::move(*settings));
    if (!program) {
      log_error(program.error().message());
      return kFailed;
    }
    (*program)->run();
    return 0;
  }

 private:
  static constexpr int kFailed = 1, kUsage = 2;
  static constexpr const char* kUsualConfig = "/etc/beaconry/config.yaml";

  static int complain(const Error& error) {
    std::fprintf(stderr, "%s: %s\n", Edge::kProgram, terminal_safe(error.message()).c_str());
    return error.kind == ErrorKind::usage || error.kind == ErrorKind::malformed ? kUsage : kFailed;
  }
  static int print(const Result<std::string>& text) {
    if (!text) return complain(text.error());
    std::fputs(text->c_str(), stdout);
    return 0;
  }
  static int join_as(const typename Edge::Settings& settings, const JoinArguments& line) {
    const auto joined = join_by_line(Edge::joining(settings), line);
    if (!joined) return complain(joined.error());
    std::printf("Joined %s as the %s '%s'. %s\n", terminal_safe(joined->url).c_str(), Edge::kKind,
                terminal_safe(joined->name).c_str(), Edge::kThen);
    return 0;
  }
};

}  // namespace beaconry
