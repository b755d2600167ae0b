#include "settings.h"

#include <net/if.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <utility>

#include "base/text.h"
#include "config/keys.h"
#include "source/follow.h"

namespace beaconry {
namespace {

constexpr std::size_t kPageBytes = 4096;

// Taken up at the start only.
constexpr std::string_view kStartKeys[] = {
    "data_plane.interface",
    "data_plane.interfaces",
    "data_plane.mode",
    "data_plane.source",
    "data_plane.track_tcp",
    "data_plane.track_udp",
    "data_plane.max_buffer_size",
    "data_plane.ring_buffer_pages",
    "data_plane.flow_timeout",
    "data_plane.name",
    "data_plane.state_dir",
    "data_plane.spool_dir",
    "data_plane.spool_bytes",
    "data_plane.socket",
    "data_plane.user",
    "networks.internal",
    "detection.burst_gap",
    "logging.file",
};

// The interface of the IPv4 default route, else "eth0".
std::string default_interface() {
  std::ifstream routes("/proc/net/route");
  std::string line;
  std::getline(routes, line);  // the heading
  while (std::getline(routes, line)) {
    std::istringstream fields(line);
    std::string name, destination;
    fields >> name >> destination;
    if (destination == "00000000") return name;
  }
  return "eth0";
}

std::string host_name() {
  utsname names{};
  return ::uname(&names) == 0 ? names.nodename : "collector";
}

Result<CaptureMode> mode_of(const std::string& word) {
  struct Word {
    std::string_view word;
    CaptureMode mode;
  };
  for (const Word& known :
       {Word{"auto", CaptureMode::automatic}, Word{"automatic", CaptureMode::automatic},
        Word{"xdp", CaptureMode::xdp}, Word{"tc", CaptureMode::tc},
        Word{"xdp_generic", CaptureMode::xdp_generic}, Word{"af_packet", CaptureMode::af_packet}}) {
    if (known.word == word) return known.mode;
  }
  return fail(ErrorKind::usage, "--mode", word,
              "is one of auto, xdp, tc, xdp_generic and af_packet");
}

Result<void> check_interfaces(const std::vector<std::string>& interfaces) {
  for (std::size_t i = 0; i < interfaces.size(); ++i) {
    const std::string& name = interfaces[i];
    if (name.empty() || name.size() >= IFNAMSIZ || name.find('/') != std::string::npos) {
      return fail(ErrorKind::usage, "interface", name, "that is no interface's name");
    }
    if (std::find(interfaces.begin(), interfaces.begin() + static_cast<std::ptrdiff_t>(i), name) !=
        interfaces.begin() + static_cast<std::ptrdiff_t>(i)) {
      return fail(ErrorKind::usage, "interface", name, "is named twice");
    }
  }
  return {};
}

void read_server(const ConfigValues& values, CollectorSettings& settings) {
  const auto url = values.text("data_plane.control_plane_url");
  if (url) {
    settings.server_url = *url;
    return;
  }
  std::string host = *values.text("data_plane.control_plane_host");
  if (host.find(':') != std::string::npos && host.front() != '[') host = '[' + host + ']';
  settings.server_url =
      "http://" + host + ':' + std::to_string(*values.count("data_plane.control_plane_port"));
}

}  // namespace

Result<CollectorSettings> CollectorSettings::read(const CollectorArguments& arguments) {
  HuntConfig config;
  if (!arguments.config.empty()) {
    auto read = HuntConfig::read(arguments.config);
    if (!read) return tl::unexpected<Error>(std::move(read.error()));
    config = std::move(*read);
  }
  ConfigValues& values = config.values;
  const auto override_by = [&](const char* key, const std::string& text, const char* option) {
    return text.empty() ? Result<void>() : values.set(key, text, option);
  };
  for (auto& done : {override_by("data_plane.name", arguments.name, "--node-id"),
                     override_by("data_plane.source", arguments.source, "--source")}) {
    if (!done) return tl::unexpected<Error>(done.error());
  }

  CollectorSettings settings;
  settings.values = values;
  settings.capture.networks = config.networks;
  settings.capture.burst_gap = config.detection.burst_gap;
  settings.allow = std::move(config.allow);
  settings.log = log_options(values);
  if (arguments.verbose) settings.log.level = LogLevel::debug;

  CaptureOptions& capture = settings.capture;
  capture.interfaces = arguments.interfaces;
  if (capture.interfaces.empty()) {
    if (const auto* several = values.texts("data_plane.interfaces")) {
      for (const ConfigText& one : *several)
        capture.interfaces.push_back(one.text);
    }
  }
  if (capture.interfaces.empty()) {
    capture.interfaces.push_back(values.text("data_plane.interface").value_or(default_interface()));
  }
  if (auto checked = check_interfaces(capture.interfaces); !checked) {
    return tl::unexpected<Error>(std::move(checked.error()));
  }
  auto mode = mode_of(arguments.mode.empty() ? *values.text("data_plane.mode") : arguments.mode);
  if (!mode) return tl::unexpected<Error>(std::move(mode.error()));
  capture.mode = *mode;
  capture.track_tcp = values.boolean("data_plane.track_tcp");
  capture.track_udp = values.boolean("data_plane.track_udp");
  capture.most_flows = *values.count("data_plane.max_buffer_size");
  capture.ring_bytes = *values.count("data_plane.ring_buffer_pages") * kPageBytes;
  capture.connection_timeout = values.duration("data_plane.flow_timeout").value_or(Duration{0});

  settings.source = *values.text("data_plane.source");
  if (!settings.is_live()) {
    if (auto parsed = parse_follow_source(settings.source); !parsed) {
      return tl::unexpected<Error>(std::move(parsed.error()));
    }
  }
  settings.export_interval = *values.duration("data_plane.export_interval");
  settings.most_events = capture.most_flows;
  settings.name = values.text("data_plane.name").value_or(host_name());
  read_server(values, settings);
  settings.connect_timeout =
      std::chrono::ceil<std::chrono::seconds>(*values.duration("data_plane.connection_timeout"));
  settings.token_file = values.text("data_plane.token_file").value_or("");
  settings.state_folder = *values.text("data_plane.state_dir");
  settings.spool_folder =
      values.text("data_plane.spool_dir").value_or(settings.state_folder + "/spool");
  settings.spool_bytes = *values.size("data_plane.spool_bytes");
  settings.socket = *values.text("data_plane.socket");
  settings.user = values.text("data_plane.user").value_or("");
  return settings;
}

std::string needs_restart(const CollectorSettings& running, const CollectorSettings& wanted) {
  std::string changed;
  for (const std::string_view key : kStartKeys) {
    if (running.values.to_json(key) == wanted.values.to_json(key)) continue;
    changed += (changed.empty() ? "" : ", ") + std::string(key);
  }
  return changed;
}

std::string describe(const CollectorSettings& settings) {
  std::string text;
  if (settings.is_live()) {
    for (const std::string& name : settings.capture.interfaces) {
      text +=
          "watch " + name + (if_nametoindex(name.c_str()) == 0 ? " (not there now)" : "") + '\n';
    }
    text += "hold up to " + with_thousands(settings.capture.most_flows) +
            " flows; the event ring has " +
            bytes_in_words(static_cast<double>(settings.capture.ring_bytes)) + '\n';
  } else {
    text += "follow " + settings.source + '\n';
  }
  text += "leave out what " + with_thousands(settings.allow.size()) +
          " entries of the allow-list cover\n";
  text += "send a batch every " + to_words(settings.export_interval) + " as '" + settings.name +
          "' to " + settings.server_url + '\n';
  text += "keep up to " + bytes_in_words(static_cast<double>(settings.spool_bytes)) +
          " for it in " + settings.spool_folder + '\n';
  return text;
}

}  // namespace beaconry
