#include "settings.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>

#include "base/text.h"
#include "config/document.h"
#include "config/keys.h"
#include "uplink/edge_identity.h"

namespace beaconry {
namespace {

constexpr std::size_t kLongestName = 64;

std::string host_name() {
  utsname names{};
  return ::uname(&names) == 0 ? names.nodename : "sensor";
}

// Names of instances hold it: beacon_0@NAME.
bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= kLongestName &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '.' || c == '_';
         });
}

Result<ConfigValues> read_values(const SensorArguments& arguments) {
  ConfigValues values{config_schema()};
  if (!arguments.config.empty()) {
    const auto document = ConfigDocument::read(arguments.config);
    if (!document) return tl::unexpected<Error>(document.error());
    auto read = ConfigValues::read(config_schema(), *document);
    if (!read) return read;
    values = std::move(*read);
  }
  if (!arguments.name.empty()) {
    if (auto done = values.set("sensor.name", arguments.name, "--name"); !done) {
      return tl::unexpected<Error>(std::move(done.error()));
    }
  }
  return values;
}

}  // namespace

Result<SensorSettings> SensorSettings::read(const SensorArguments& arguments) {
  const auto read = read_values(arguments);
  if (!read) return tl::unexpected<Error>(read.error());
  const ConfigValues& values = *read;
  const auto text = [&](std::string_view key) { return values.text(key).value_or(""); };
  SensorSettings settings;
  const auto name = values.text("sensor.name");
  settings.name = name.value_or(host_name());
  if (!is_name(settings.name)) {
    return fail(ErrorKind::malformed, "read", "sensor.name",
                "'" + terminal_safe(settings.name) +
                    "' is no sensor's name: at most 64 letters, digits, '-', '.' and '_'");
  }
  settings.desired_folder = text("sensor.desired_dir");
  settings.keys_folder = text("sensor.keys_dir");
  settings.lxd_socket = text("sensor.lxd_socket");
  settings.pool = text("sensor.pool");
  settings.profile = text("sensor.profile");
  settings.server_url = text("sensor.server");
  settings.token_file = text("sensor.token_file");
  settings.state_folder = text("sensor.state_dir");
  if (const auto joined = joined_server(settings.state_folder);
      joined && !name && is_name(joined->name)) {
    settings.name = joined->name;
  }
  settings.spool_folder =
      values.text("sensor.spool_dir").value_or(settings.state_folder + "/spool");
  settings.spool_bytes = *values.size("sensor.spool_bytes");
  settings.run_folder = text("sensor.run_dir");
  settings.socket = text("sensor.socket");
  settings.broken_after = static_cast<unsigned>(*values.count("sensor.broken_after"));
  settings.broker_user = text("sensor.user");
  settings.fleet_allow_unsigned = values.boolean("sensor.fleet.allow_unsigned");
  settings.log = log_options(values);
  if (arguments.verbose) settings.log.level = LogLevel::debug;
  return settings;
}

std::string describe(const SensorSettings& settings) {
  std::string text =
      "run instruments as '" + settings.name + "', such as beacon_0@" + settings.name + '\n';
  text += "follow the files of " + settings.desired_folder +
          (::access(settings.desired_folder.c_str(), R_OK) == 0 ? "\n" : " (not there now)\n");
  text += "take images that are signed by keys of " + settings.keys_folder +
          (::access(settings.keys_folder.c_str(), R_OK) == 0 ? "\n"
                                                             : " (not there now: none is known)\n");
  if (settings.fleet_allow_unsigned)
    text += "let the server run unsigned code, too: whoever takes it over has this machine\n";
  text +=
      "use the pool " + settings.pool + " of " +
      (settings.lxd_socket.empty() ? "the first LXD or Incus that answers" : settings.lxd_socket) +
      '\n';
  text += "keep state in " + settings.state_folder + ", and up to " +
          bytes_in_words(static_cast<double>(settings.spool_bytes) / 2) +
          " of events and as much of passed-on batches in " + settings.spool_folder + '\n';
  text += "answer at " + settings.socket + '\n';
  return text;
}

}  // namespace beaconry
