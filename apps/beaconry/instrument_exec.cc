#include <CLI/CLI.hpp>
#include <cstdio>

#include "sensor/order.h"
#include "subcommand.h"

namespace beaconry::instrument_commands {
namespace {

struct Options {
  std::vector<std::string> command;
  unsigned seconds = 60;
};

void write(const Json& done, const char* key, std::FILE* file) {
  const auto at = done.find(key);
  if (at == done.end() || !at->is_string()) return;
  const auto& text = at->get_ref<const std::string&>();
  std::fwrite(text.data(), 1, text.size(), file);
  std::fflush(file);
}

std::function<int()> define(CLI::App& app) {
  const auto instance = InstanceOptions::add_to(app, false);
  auto exec = std::make_shared<Options>();
  app.add_option("command", exec->command, "Program and arguments, behind --")->required();
  app.add_option("--timeout", exec->seconds, "Seconds after which it is ended")
      ->check(CLI::Range(1, 3600))
      ->capture_default_str();
  const auto options = SensorOptions::add_to(app);
  app.footer("Exit status: the command's; 1 also where it could not be run.");
  return [=] {
    return with_sensor(*options, [&](SensorClient& sensor) -> Result<int> {
      const Json body = {{"command", exec->command}, {"seconds", exec->seconds}};
      const auto answer =
          sensor.ask("POST", instance_path(instance->name, "/exec"),
                     body.dump(-1, ' ', false, Json::error_handler_t::replace),
                     std::chrono::seconds{exec->seconds} + std::chrono::seconds{30});
      if (!answer) return tl::unexpected<Error>(answer.error());
      const auto done = parse_answer(*answer);
      if (!done) return tl::unexpected<Error>(done.error());
      if (options->json) {
        if (!say(json_line(*done))) return kExitFound;
      } else {
        write(*done, "output", stdout);
        write(*done, "errors", stderr);
      }
      return static_cast<int>(number_at(*done, "status")) & 0xff;
    });
  };
}

}  // namespace

extern const Subcommand instrument_exec;
constinit const Subcommand instrument_exec{"exec", "Run a command inside an instance", define};

}  // namespace beaconry::instrument_commands
