#include <CLI/CLI.hpp>
#include <cstdio>

#include "base/text.h"
#include "config/document_history.h"
#include "document_file.h"
#include "sensor/image_choice.h"
#include "sensor/order.h"
#include "sensor/views.h"
#include "subcommand.h"

namespace beaconry::instrument_commands {
namespace {

struct Options {
  std::string action = "get";
  std::vector<std::string> arguments;
};

bool is_action(const std::string& word) {
  return word == "get" || word == "set" || word == "history" || word == "diff" ||
         word == "rollback";
}

tl::unexpected<Error> usage(const std::string& action, const char* right) {
  return fail(ErrorKind::usage, "read", "'" + terminal_safe(action) + "'",
              std::string("write 'beaconry instrument config NAME ") + right + "'");
}

Result<std::string> number(const std::string& text) {
  if (const auto value = parse_unsigned(text)) return std::to_string(*value);
  return fail(ErrorKind::usage, "read", "'" + terminal_safe(text) + "'",
              "it is no version, such as 3; 'history' lists them");
}

Result<Json> version_of(SensorClient& sensor, const std::string& name, const std::string& text) {
  const auto version = number(text);
  if (!version) return tl::unexpected<Error>(version.error());
  return sensor.get(instance_path(name, "/config?version=" + *version));
}

Result<int> diff(SensorClient& sensor, const Options& options, const InstanceOptions& instance,
                 const SensorOptions& shown) {
  const auto before = version_of(sensor, instance.name, options.arguments[0]);
  if (!before) return tl::unexpected<Error>(before.error());
  const auto after = version_of(sensor, instance.name, options.arguments[1]);
  if (!after) return tl::unexpected<Error>(after.error());
  const auto lines =
      json_diff(before->value("config", Json()).dump(), after->value("config", Json()).dump());
  if (shown.json) return say(json_line(lines)) ? kExitDone : kExitFound;
  std::string text;
  for (const std::string& line : lines)
    text += terminal_safe(line) + '\n';
  return say(text.empty() ? "No difference.\n" : text) ? kExitDone : kExitFound;
}

// The wished one; while that is not applied, the one that was applied before it.
Result<Json> what_holds(SensorClient& sensor, const std::string& name) {
  const auto instance = sensor.instance(name);
  if (!instance) return tl::unexpected<Error>(instance.error());
  const Json config = instance->value("config", Json::object());
  const std::string words = config_words(config);
  if (!words.empty()) std::fprintf(stderr, "%s: %s\n", name.c_str(), terminal_safe(words).c_str());
  const std::uint64_t applied = count_at(config, "applied");
  const bool holds = !words.empty() && applied != 0;
  return sensor.get(
      instance_path(name, holds ? "/config?version=" + std::to_string(applied) : "/config"));
}

// After a change: until it is applied, or the instrument said why not.
Result<int> settle(SensorClient& sensor, const InstanceOptions& instance,
                   const SensorOptions& shown) {
  const auto wished = sensor.get(instance_path(instance.name, "/config"));
  if (!wished) return tl::unexpected<Error>(wished.error());
  const std::uint64_t version = count_at(*wished, "version");
  const auto now = sensor.instance(instance.name);
  if (!now) return tl::unexpected<Error>(now.error());
  // One that does not run gets it with its start.
  if (!instance.no_wait && text_at(*now, "state") == "RUNNING") {
    const auto waited = wait_for(sensor, instance.name, instance.patience(),
                                 [&](const Json& state) { return has_config(state, version); });
    if (!waited) return tl::unexpected<Error>(waited.error());
  }
  return say(shown.json ? json_line(*wished)
                        : instance.name + ": configuration " + std::to_string(version))
             ? kExitDone
             : kExitFound;
}

Result<int> run(SensorClient& sensor, const Options& options, const InstanceOptions& instance,
                const SensorOptions& shown) {
  const std::size_t given = options.arguments.size();
  const std::string& action = options.action;
  if (action == "get") {
    if (given > 1) return usage(action, "get [VERSION]");
    const auto config = given == 1 ? version_of(sensor, instance.name, options.arguments[0])
                                   : what_holds(sensor, instance.name);
    if (!config) return tl::unexpected<Error>(config.error());
    return say(json_line(shown.json ? *config : config->value("config", Json()))) ? kExitDone
                                                                                  : kExitFound;
  }
  if (action == "history") {
    if (given != 0) return usage(action, "history");
    const auto versions = sensor.get(instance_path(instance.name, "/config/versions"));
    if (!versions) return tl::unexpected<Error>(versions.error());
    return say(shown.json ? json_line(list_at(*versions, "versions"))
                          : document_versions_text(*versions))
               ? kExitDone
               : kExitFound;
  }
  if (action == "diff") {
    if (given != 2) return usage(action, "diff A B");
    return diff(sensor, options, instance, shown);
  }
  Result<std::string> done;
  if (action == "set") {
    if (given != 1) return usage(action, "set FILE");
    const auto config = read_document(options.arguments[0]);
    if (!config) return tl::unexpected<Error>(config.error());
    const Json body = {{"config", *config}};
    done = sensor.ask("PATCH", instance_path(instance.name),
                      body.dump(-1, ' ', false, Json::error_handler_t::replace));
  } else if (action != "rollback") {
    return usage(action, "get|set|history|diff|rollback");
  } else {
    if (given != 1) return usage(action, "rollback VERSION");
    const auto version = number(options.arguments[0]);
    if (!version) return tl::unexpected<Error>(version.error());
    done = sensor.ask("POST", instance_path(instance.name, "/config/rollback"),
                      "{\"to\": " + *version + "}");
  }
  if (!done) return tl::unexpected<Error>(done.error());
  return settle(sensor, instance, shown);
}

std::function<int()> define(CLI::App& app) {
  const auto instance = InstanceOptions::add_to(app);
  auto wanted = std::make_shared<Options>();
  // No check: name and action may come in either order.
  app.add_option("action", wanted->action,
                 "get [VERSION], set FILE (JSON or YAML; - reads standard input), history, "
                 "diff A B, rollback VERSION; may also come before the name")
      ->type_name("TEXT:{get,set,history,diff,rollback}")
      ->capture_default_str();
  app.add_option("argument", wanted->arguments, "Of the action");
  const auto options = SensorOptions::add_to(app);
  return [=] {
    if (is_action(instance->name) && !is_action(wanted->action)) {
      std::swap(instance->name, wanted->action);
    }
    return with_sensor(
        *options, [&](SensorClient& sensor) { return run(sensor, *wanted, *instance, *options); });
  };
}

}  // namespace

extern const Subcommand instrument_config;
constinit const Subcommand instrument_config{
    "config", "Show or change an instance's configuration and its history", define};

}  // namespace beaconry::instrument_commands
