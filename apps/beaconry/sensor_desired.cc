#include <CLI/CLI.hpp>
#include <cstdio>

#include "base/text.h"
#include "config/document_history.h"
#include "sensor/client.h"
#include "sensor/confirm.h"
#include "sensor/rollback.h"
#include "sensor/views.h"
#include "subcommand.h"

namespace beaconry::sensor_commands {
namespace {

struct Options {
  bool history = false, yes = false, origin = false;
  std::optional<std::uint64_t> version, roll_back;
};

// Shows what it would change before it is done.
Result<bool> roll_back(SensorClient& sensor, const Options& wanted) {
  const std::string to = std::to_string(*wanted.roll_back);
  const auto now = sensor.get("/v1/desired"), then = sensor.get("/v1/desired?version=" + to);
  if (!now) return tl::unexpected<Error>(now.error());
  if (!then) return tl::unexpected<Error>(then.error());
  const Json before = now->value("desired", Json::object());
  const Json after = rolled_back(before, then->value("desired", Json::object()));
  const auto lines = json_diff(before.dump(), after.dump());
  std::fprintf(stderr, "%s\n",
               lines.empty() ? ("Version " + to + " is as it is now.").c_str()
                             : ("Back to version " + to + " changes:").c_str());
  for (const std::string& line : lines)
    std::fprintf(stderr, "  %s\n", terminal_safe(line).c_str());
  if (lines.empty()) return true;
  std::string gone;
  for (const std::string& name : instances_that_go(before, after))
    gone += (gone.empty() ? "" : ", ") + terminal_safe(name);
  auto meant = is_meant(gone.empty() ? "Do it?" : "With their data go: " + gone + ". Do it?",
                        gone.empty() ? "the desired state changes" : "with their data go: " + gone,
                        wanted.yes);
  if (!meant || !*meant) return meant;
  const auto done = sensor.ask("POST", "/v1/desired/rollback", "{\"to\": " + to + "}");
  if (!done) return tl::unexpected<Error>(done.error());
  return true;
}

std::function<int()> define(CLI::App& app) {
  auto wanted = std::make_shared<Options>();
  app.add_flag("--origin", wanted->origin,
               "Say of each value who says it: the server's layer, a file, a command");
  app.add_option("--version", wanted->version, "An earlier one")->check(CLI::PositiveNumber);
  app.add_flag("--history", wanted->history, "List the versions, who made them and how");
  app.add_option("--rollback", wanted->roll_back,
                 "Make this version the desired state again, after showing what that changes")
      ->check(CLI::PositiveNumber);
  app.add_flag("-y,--yes", wanted->yes, "Do not ask before --rollback");
  const auto options = SensorOptions::add_to(app);
  return [=] {
    return with_sensor(*options, [&](SensorClient& sensor) -> Result<int> {
      if (wanted->roll_back) {
        const auto done = roll_back(sensor, *wanted);
        if (!done) return tl::unexpected<Error>(done.error());
        if (!*done) return kExitFound;
        if (!options->json) {
          return say("The desired state is that of version " + std::to_string(*wanted->roll_back) +
                     ".")
                     ? kExitDone
                     : kExitFound;
        }
      }
      if (wanted->origin) {
        const auto answer = sensor.get("/v1/desired/origin");
        if (!answer) return tl::unexpected<Error>(answer.error());
        return say(options->json ? json_line(*answer) : origin_text(*answer)) ? kExitDone
                                                                              : kExitFound;
      }
      const std::string version =
          wanted->version ? "?version=" + std::to_string(*wanted->version) : "";
      const auto answer =
          sensor.get(wanted->history ? "/v1/desired/versions" : "/v1/desired" + version);
      if (!answer) return tl::unexpected<Error>(answer.error());
      if (wanted->history && !options->json) {
        return say(document_versions_text(*answer)) ? kExitDone : kExitFound;
      }
      const Json& shown = options->json || wanted->history ? *answer : answer->at("desired");
      return say(json_line(shown)) ? kExitDone : kExitFound;
    });
  };
}

}  // namespace

extern const Subcommand sensor_desired;
constinit const Subcommand sensor_desired{
    "desired", "Show what the sensor shall be, its history, or go back in it", define};

}  // namespace beaconry::sensor_commands
