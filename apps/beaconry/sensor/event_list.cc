#include "sensor/event_list.h"

#include <CLI/CLI.hpp>
#include <memory>

#include "base/text.h"
#include "sensor/client.h"
#include "sensor/views.h"
#include "subcommand.h"

namespace beaconry {
namespace {

struct Options {
  std::string name;
  unsigned most = 50;
};

bool is_name(const std::string& text) {
  return text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-") == std::string::npos;
}

}  // namespace

std::function<int()> define_event_list(CLI::App& app, bool with_name) {
  auto wanted = std::make_shared<Options>();
  if (with_name) app.add_option("name", wanted->name, "The instance, such as beacon_0 [all]");
  app.add_option("-n,--limit", wanted->most, "How many, the newest")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  const auto options = SensorOptions::add_to(app);
  return [=] {
    return with_sensor(*options, [&](SensorClient& sensor) -> Result<int> {
      if (!is_name(wanted->name)) {
        return fail(ErrorKind::usage, "read", "'" + terminal_safe(wanted->name) + "'",
                    "it is no instance such as beacon_0");
      }
      std::string path = "/v1/events?most=" + std::to_string(wanted->most);
      if (!wanted->name.empty()) path += "&instance=" + wanted->name;
      const auto events = sensor.get(path);
      if (!events) return tl::unexpected<Error>(events.error());
      const bool told =
          say(options->json ? json_line(list_at(*events, "events")) : sensor_events_text(*events));
      return told ? kExitDone : kExitFound;
    });
  };
}

}  // namespace beaconry
