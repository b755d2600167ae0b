#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <string>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "beaconry_version.h"
#include "http/client.h"
#include "program.h"
#include "settings.h"
#include "uplink/join_command.h"

namespace beaconry {
namespace {

constexpr int kFailed = 1, kUsage = 2;
constexpr const char* kUsualConfig = "/etc/beaconry/config.yaml";

int complain(const Error& error) {
  std::fprintf(stderr, "beaconry-sensor: %s\n", terminal_safe(error.message()).c_str());
  return error.kind == ErrorKind::usage || error.kind == ErrorKind::malformed ? kUsage : kFailed;
}

Result<void> join(const SensorSettings& settings, const JoinArguments& arguments) {
  JoiningEdge edge;
  edge.kind = "sensor";
  edge.name = settings.name;
  edge.state_folder = settings.state_folder;
  edge.is_root = true;
  const auto joined = join_by_line(edge, arguments);
  if (!joined) return tl::unexpected<Error>(joined.error());
  std::printf("Joined %s as the sensor '%s'. Start it, or restart it: instruments run on.\n",
              terminal_safe(joined->url).c_str(), terminal_safe(joined->name).c_str());
  const std::string name = settings.name_after_joining(joined->name);
  if (name != joined->name) {
    std::printf("Here it is called '%s', as its instruments see; sensor.name changes that.\n",
                terminal_safe(name).c_str());
  }
  return {};
}

int print_status(const SensorSettings& settings) {
  HttpClient::Options options;
  options.url = "unix:" + settings.socket;
  auto client = HttpClient::make(options);
  if (!client) return complain(client.error());
  HttpRequest request;
  request.target = "/v1/sensor";
  const auto answer = (*client)->send(request);
  if (!answer) {
    return complain(Error{ErrorKind::io, "ask the sensor at", settings.socket,
                          answer.error().cause + "; is it running?"});
  }
  std::fputs(answer->body.c_str(), stdout);
  return answer->status == 200 ? 0 : kFailed;
}

int work(SensorArguments arguments, SensorSettings settings) {
  if (auto opened = open_log(settings.log); !opened) return complain(opened.error());
  auto program = SensorProgram::start(std::move(arguments), std::move(settings));
  if (!program) {
    log_error(program.error().message());
    return kFailed;
  }
  (*program)->run();
  return 0;
}

int run(int argc, char** argv) {
  CLI::App app{
      "Runs security tools as isolated instruments on this machine, and sends what they find to a "
      "Beaconry server."};
  app.name("beaconry-sensor");
  app.set_version_flag("--version", std::string("beaconry-sensor " BEACONRY_VERSION) +
                                        (*BEACONRY_REVISION ? " (" BEACONRY_REVISION ")" : ""));
  SensorArguments arguments;
  bool check = false, status = false;
  app.add_option("-c,--config", arguments.config,
                 std::string("The configuration file, YAML (default: ") + kUsualConfig +
                     ", if it is there)")
      ->envname("BEACONRY_CONFIG");
  app.add_option("-n,--name", arguments.name,
                 "What this sensor is called (default: as it joined, else the host's name)");
  app.add_flag("-v,--verbose", arguments.verbose, "Log what helps to find faults, too");
  app.add_flag("--check", check, "Check the configuration, say what would be done, and end");
  app.add_flag("--status", status, "Print what the running sensor reports of itself, as JSON");
  app.fallthrough();
  CLI::App* status_command = app.add_subcommand("status", "The same as --status");
  CLI::App* join_command = app.add_subcommand(
      "join", "Become known to a server: the line that 'beaconry enroll sensor NAME' prints");
  JoinArguments join_arguments;
  join_command->add_option("URL", join_arguments.url, "https://server:9090")->required();
  join_command->add_option("--ca", join_arguments.ca, "SHA256:... of the server's CA")->required();
  join_command->add_option("--token-file", join_arguments.token_file,
                           "File that holds the token; - for standard input");
  app.footer(
      "Instruments are managed by 'beaconry instrument', what the sensor needs by 'beaconry sensor "
      "setup'.\nSignals: SIGHUP reads the log's level again. SIGTERM ends; instruments run "
      "on.\nExit status: 0 done, 1 it could not run, 2 usage or configuration.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kUsage;
  }
  std::error_code ignored;
  if (arguments.config.empty() && std::filesystem::exists(kUsualConfig, ignored)) {
    arguments.config = kUsualConfig;
  }
  auto settings = SensorSettings::read(arguments);
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
  return work(std::move(arguments), std::move(*settings));
}

}  // namespace
}  // namespace beaconry

int main(int argc, char** argv) {
  return beaconry::run(argc, argv);
}
