#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <string>
#include <utility>

#include "base/log.h"
#include "base/status_socket.h"
#include "base/text.h"
#include "beaconry_version.h"
#include "program.h"
#include "settings.h"
#include "uplink/join_command.h"

namespace beaconry {
namespace {

constexpr int kFailed = 1, kUsage = 2;
constexpr const char* kUsualConfig = "/etc/beaconry/config.yaml";

int complain(const Error& error) {
  std::fprintf(stderr, "beaconry-home: %s\n", terminal_safe(error.message()).c_str());
  return error.kind == ErrorKind::usage || error.kind == ErrorKind::malformed ? kUsage : kFailed;
}

Result<void> join(const HomeProgramSettings& settings, const JoinArguments& arguments) {
  const auto joined = join_by_line(
      {"home", settings.name, settings.state_folder, settings.user, "beaconry-home"}, arguments);
  if (!joined) return tl::unexpected<Error>(joined.error());
  std::printf("Joined %s as '%s'. Start home, or send it SIGHUP.\n",
              terminal_safe(joined->url).c_str(), terminal_safe(joined->name).c_str());
  return {};
}

int print_status(const HomeProgramSettings& settings) {
  const auto answer = ask_status(settings.socket);
  if (!answer) return complain(answer.error());
  std::fputs(answer->c_str(), stdout);
  return 0;
}

int listen(HomeArguments arguments, HomeProgramSettings settings) {
  if (auto opened = open_log(settings.log); !opened) return complain(opened.error());
  auto program = HomeProgram::start(std::move(arguments), std::move(settings));
  if (!program) {
    log_error(program.error().message());
    return kFailed;
  }
  (*program)->run();
  return 0;
}

int run(int argc, char** argv) {
  CLI::App app{
      "Listens outside for the pings of probes in isolated segments, and sends what arrives to a "
      "Beaconry server."};
  app.name("beaconry-home");
  app.set_version_flag("--version", std::string("beaconry-home " BEACONRY_VERSION) +
                                        (*BEACONRY_REVISION ? " (" BEACONRY_REVISION ")" : ""));
  HomeArguments arguments;
  bool check = false, status = false;
  app.add_option("-c,--config", arguments.config,
                 std::string("The configuration file, YAML (default: ") + kUsualConfig +
                     ", if it is there)")
      ->envname("BEACONRY_CONFIG");
  app.add_option("-n,--name", arguments.name,
                 "What this home is called (default: the host's name)");
  app.add_option("--probes", arguments.probes,
                 "File with the probes, JSON as the server gives it, instead of asking a server");
  app.add_flag("-v,--verbose", arguments.verbose, "Log what helps to find faults, too");
  app.add_flag("--check", check, "Check the configuration, say what would be done, and end");
  app.add_flag("--status", status, "Print what the running home says of itself, as JSON");
  app.fallthrough();
  CLI::App* status_command = app.add_subcommand("status", "The same as --status");
  CLI::App* join_command = app.add_subcommand(
      "join", "Become known to a server: the line that 'beaconry enroll home NAME' prints");
  JoinArguments join_arguments;
  join_command->add_option("URL", join_arguments.url, "https://server:9090")->required();
  join_command->add_option("--ca", join_arguments.ca, "SHA256:... of the server's CA")->required();
  join_command->add_option("--token-file", join_arguments.token_file,
                           "File that holds the token; - for standard input");
  app.footer(
      "Signals: SIGHUP reads server, token and the file of probes again and tells the server of "
      "new addresses; the zone's answers, sockets and which file it is stay until a restart. "
      "SIGTERM "
      "ends with a last batch.\nExit status: 0 done, 1 it could not run, 2 usage or "
      "configuration.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kUsage;
  }
  std::error_code ignored;
  if (arguments.config.empty() && std::filesystem::exists(kUsualConfig, ignored)) {
    arguments.config = kUsualConfig;
  }
  auto settings = HomeProgramSettings::read(arguments);
  if (!settings) return complain(settings.error());
  if (status || status_command->parsed()) return print_status(*settings);
  if (check) {
    std::fputs(describe(*settings).c_str(), stdout);
    return 0;
  }
  if (join_command->parsed()) {
    const auto joined = join(*settings, join_arguments);
    return joined ? 0 : complain(joined.error());
  }
  return listen(std::move(arguments), std::move(*settings));
}

}  // namespace
}  // namespace beaconry

int main(int argc, char** argv) {
  return beaconry::run(argc, argv);
}
