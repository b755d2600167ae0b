#include <CLI/CLI.hpp>
#include <cstdio>

#include "base/text.h"
#include "sensor/order.h"
#include "subcommand.h"

namespace beaconry::instrument_commands {
namespace {

// Lines of a log stay lines; what is in them does nothing to a terminal.
std::string safe_lines(std::string_view log) {
  std::string text;
  for (const auto line : split(log, '\n'))
    text += terminal_safe(!line.empty() && line.back() == '\r' ? line.substr(0, line.size() - 1)
                                                               : line) +
            '\n';
  if (!log.empty() && log.back() == '\n') text.pop_back();
  return text;
}

std::function<int()> define(CLI::App& app) {
  const auto instance = InstanceOptions::add_to(app, false);
  auto bytes = std::make_shared<std::uint64_t>(64 << 10);
  app.add_option("--bytes", *bytes, "How much of its end, at most 1 MiB")
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str();
  const auto options = SensorOptions::add_to(app);
  return [=] {
    return with_sensor(*options, [&](SensorClient& sensor) -> Result<int> {
      const auto log =
          sensor.ask("GET", instance_path(instance->name, "/logs?bytes=" + std::to_string(*bytes)));
      if (!log) return tl::unexpected<Error>(log.error());
      const std::string text = options->json
                                   ? json_line({{"instance", instance->name}, {"log", *log}}) + '\n'
                                   : safe_lines(*log);
      return std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0 ? kExitDone
                                                                               : kExitFound;
    });
  };
}

}  // namespace

extern const Subcommand instrument_logs;
constinit const Subcommand instrument_logs{"logs", "Print what an instance wrote last", define};

}  // namespace beaconry::instrument_commands
