#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <string>
#include <utility>

#include "base/log.h"
#include "base/status_socket.h"
#include "base/text.h"
#include "beaconry_version.h"
#include "collector.h"
#include "settings.h"
#include "uplink/join_command.h"

namespace beaconry {
namespace {

constexpr int kFailed = 1, kUsage = 2;
constexpr const char* kUsualConfig = "/etc/beaconry/config.yaml";

int complain(const Error& error) {
  std::fprintf(stderr, "beaconry-collector: %s\n", terminal_safe(error.message()).c_str());
  return error.kind == ErrorKind::usage || error.kind == ErrorKind::malformed ? kUsage : kFailed;
}

Result<void> join(const CollectorSettings& settings, const JoinArguments& arguments) {
  const auto joined = join_by_line(
      {"collector", settings.name, settings.state_folder, settings.user, "beaconry-collector"},
      arguments);
  if (!joined) return tl::unexpected<Error>(joined.error());
  std::printf("Joined %s as '%s'. Start the collector, or send it SIGHUP.\n",
              terminal_safe(joined->url).c_str(), terminal_safe(joined->name).c_str());
  return {};
}

int print_status(const CollectorSettings& settings) {
  const auto answer = ask_status(settings.socket);
  if (!answer) return complain(answer.error());
  std::fputs(answer->c_str(), stdout);
  return 0;
}

int collect(CollectorArguments arguments, CollectorSettings settings) {
  if (auto opened = open_log(settings.log); !opened) return complain(opened.error());
  auto collector = Collector::start(std::move(arguments), std::move(settings));
  if (!collector) {
    log_error(collector.error().message());
    return kFailed;
  }
  (*collector)->run();
  return 0;
}

int run(int argc, char** argv) {
  CLI::App app{
      "Watches interfaces, or follows the logs of Zeek or Suricata, and sends what it sees "
      "of every connection to a Beaconry server."};
  app.name("beaconry-collector");
  app.set_version_flag("--version", std::string("beaconry-collector " BEACONRY_VERSION) +
                                        (*BEACONRY_REVISION ? " (" BEACONRY_REVISION ")" : ""));
  CollectorArguments arguments;
  bool check = false, status = false;
  app.add_option("-c,--config", arguments.config,
                 std::string("The configuration file, YAML (default: ") + kUsualConfig +
                     ", if it is there)")
      ->envname("BEACONRY_CONFIG");
  app.add_option("-i,--interface", arguments.interfaces,
                 "An interface to watch; may be repeated (default: data_plane.interface, else the "
                 "one of the default route)")
      ->allow_extra_args(false);
  app.add_option("-n,--node-id,--name", arguments.name,
                 "What this collector is called (default: the host's name)");
  app.add_flag("-v,--verbose", arguments.verbose, "Log what helps to find faults, too");
  app.add_option("--mode", arguments.mode, "How packets are got (default: auto)")
      ->check(CLI::IsMember({"auto", "automatic", "xdp", "tc", "xdp_generic", "af_packet"}));
  app.add_option("--source", arguments.source,
                 "Follow logs that grow instead: zeek:FOLDER or suricata:FILE");
  app.add_flag("--check", check, "Check the configuration, say what would be done, and end");
  app.add_flag("--status", status, "Print what the running collector says of itself, as JSON");
  app.fallthrough();
  CLI::App* status_command = app.add_subcommand("status", "The same as --status");
  CLI::App* join_command = app.add_subcommand(
      "join", "Become known to a server: the line that 'beaconry enroll collector NAME' prints");
  JoinArguments join_arguments;
  join_command->add_option("URL", join_arguments.url, "https://server:9090")->required();
  join_command->add_option("--ca", join_arguments.ca, "SHA256:... of the server's CA")->required();
  join_command->add_option("--token-file", join_arguments.token_file,
                           "File that holds the token; - for standard input");
  app.footer(
      "Signals: SIGHUP reads the configuration again, SIGTERM ends with a last export.\n"
      "Exit status: 0 done, 1 it could not run, 2 usage or configuration.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kUsage;
  }
  std::error_code ignored;
  if (arguments.config.empty() && std::filesystem::exists(kUsualConfig, ignored)) {
    arguments.config = kUsualConfig;
  }
  auto settings = CollectorSettings::read(arguments);
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
  return collect(std::move(arguments), std::move(*settings));
}

}  // namespace
}  // namespace beaconry

int main(int argc, char** argv) {
  return beaconry::run(argc, argv);
}
