#include <CLI/CLI.hpp>

#include "base/file.h"
#include "sensor/client.h"
#include "subcommand.h"

namespace beaconry::sensor_commands {
namespace {

std::function<int()> define(CLI::App& app) {
  auto file = std::make_shared<std::string>();
  app.add_option("-o,--output", *file, "Where to write it [standard output]");
  const auto options = SensorOptions::add_to(app);
  return [=] {
    return with_sensor(*options, [&](SensorClient& sensor) -> Result<int> {
      const auto text = sensor.ask("GET", "/v1/fleet/report");
      if (!text) return tl::unexpected<Error>(text.error());
      if (file->empty()) {
        const bool written = std::fwrite(text->data(), 1, text->size(), stdout) == text->size() &&
                             std::fflush(stdout) == 0;
        return written ? kExitDone : kExitFound;
      }
      if (auto put = replace_file(*file, *text); !put)
        return tl::unexpected<Error>(std::move(put.error()));
      return say("Written to " + *file +
                 "; the server takes it on its page Fleet, or by "
                 "'beaconry fleet'.")
                 ? kExitDone
                 : kExitFound;
    });
  };
}

}  // namespace

extern const Subcommand sensor_report;
constinit const Subcommand sensor_report{
    "report", "Write what the sensor is, signed, as a file for the server: without a wire", define};

}  // namespace beaconry::sensor_commands
