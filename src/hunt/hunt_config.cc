#include "hunt/hunt_config.h"

#include <algorithm>
#include <utility>

#include "base/file.h"
#include "base/text.h"
#include "config/keys.h"

namespace beaconry {
namespace {

// What a hunt does not use: sections of the live programs, and keys of the server.
constexpr std::string_view kOthers[] = {"data_plane",
                                        "control_plane",
                                        "alerting",
                                        "logging",
                                        "persistence",
                                        "detection.alert_cooldown",
                                        "detection.analysis_interval"};

tl::unexpected<Error> refuse(const Origin& origin, std::string cause) {
  return fail(ErrorKind::malformed, "read", origin.to_string(), std::move(cause));
}

Result<DetectionSettings> detection_settings(const ConfigValues& values) {
  DetectionSettings settings;
  settings.cv_threshold = *values.number("detection.cv_threshold");
  settings.periodicity_threshold = *values.number("detection.periodicity_threshold");
  settings.jitter_threshold_seconds = *values.seconds("detection.jitter_threshold");
  settings.alert_threshold = *values.number("detection.alert_threshold");
  settings.cv_weight = *values.number("detection.cv_weight");
  settings.periodicity_weight = *values.number("detection.periodicity_weight");
  settings.jitter_weight = *values.number("detection.jitter_weight");
  settings.size_weight = *values.number("detection.size_weight");
  settings.burst_gap = *values.duration("detection.burst_gap");
  settings.gates.min_connections = values.count("detection.min_connections");
  settings.gates.min_duration = values.duration("detection.min_duration");
  settings.gates.time_window = values.duration("detection.time_window");
  settings.gates.min_beacon_interval = values.duration("detection.min_beacon_interval");
  settings.gates.max_beacon_interval = values.duration("detection.max_beacon_interval");
  if (auto checked = check(settings); !checked) {
    // The ranges of single keys hold, so it is weights or gates together: name the last line that
    // set one of them.
    Error error = std::move(checked.error());
    Origin last;
    for (const ConfigKey& key : values.schema().keys()) {
      const auto word = key.path.substr(key.path.rfind('.') + 1);
      const Origin& origin = values.origin(key.path);
      if (origin.from != Origin::From::fallback && error.subject.find(word) != std::string::npos) {
        last = origin;
      }
    }
    return refuse(last, error.subject + ' ' + error.cause);
  }
  return settings;
}

// A list's items as entries of the allow-list, each after `prefix`.
Result<void> add_entries(const ConfigValues& values, std::string_view path, std::string_view prefix,
                         AllowList& allow) {
  const auto* items = values.texts(path);
  if (items == nullptr) return {};
  for (const ConfigText& item : *items) {
    if (auto added = allow.add(std::string(prefix) + item.text, item.origin.to_string()); !added) {
      return added;
    }
  }
  return {};
}

// An entry's form must be what its list is called: else ":" before a port could make an address of
// it.
Result<void> check_forms(const ConfigValues& values) {
  for (const char* path : {"whitelist.ports", "whitelist.destination_ports"}) {
    const auto* ports = values.texts(path);
    if (ports == nullptr) continue;
    for (const ConfigText& port : *ports) {
      if (port.text.empty() || port.text.find(':') != std::string::npos) {
        return refuse(port.origin, in_quotes(port.text) + " is not a port; write 53 or 53/udp");
      }
    }
  }
  if (const auto* pairs = values.texts("whitelist.pairs")) {
    for (const ConfigText& pair : *pairs) {
      const bool is_key = pair.text.find("->") != std::string::npos;
      if (!is_key && std::count(pair.text.begin(), pair.text.end(), ':') < 2) {
        return refuse(pair.origin, in_quotes(pair.text) + " is not a pair; write src:dst:port");
      }
    }
  }
  return {};
}

Result<AllowList> allow_list(const ConfigValues& values) {
  if (auto checked = check_forms(values); !checked) {
    return tl::unexpected<Error>(std::move(checked.error()));
  }
  AllowList allow;
  struct List {
    const char *path, *prefix;
  };
  for (const List& list :
       {List{"whitelist.source_ips", "src="}, List{"whitelist.destination_ips", "dst="},
        List{"whitelist.ports", ":"}, List{"whitelist.destination_ports", ":"},
        List{"whitelist.pairs", ""}, List{"whitelist.names", "dst="}}) {
    if (auto added = add_entries(values, list.path, list.prefix, allow); !added) {
      return tl::unexpected<Error>(std::move(added.error()));
    }
  }
  return allow;
}

Result<BenignBaseline> benign_baseline(const ConfigValues& values) {
  if (!values.boolean("benign_baseline.enabled")) {
    return BenignBaseline(std::vector<BenignPattern>{});
  }
  const auto* records = values.records("benign_baseline.patterns");
  if (records == nullptr) return BenignBaseline();
  std::vector<BenignPattern> patterns;
  for (const ConfigValues& record : *records) {
    constexpr const char* kProtocol = "benign_baseline.patterns[].protocol";
    const std::string word = *record.text(kProtocol);
    const auto protocol = parse_protocol(word);
    if (!protocol) {
      return refuse(record.origin(kProtocol),
                    in_quotes(word) + " is not a protocol; write TCP, UDP or ICMP");
    }
    patterns.push_back(
        {static_cast<std::uint16_t>(*record.count("benign_baseline.patterns[].dst_port")),
         *protocol, *record.text("benign_baseline.patterns[].label")});
  }
  return BenignBaseline(std::move(patterns));
}

Result<Networks> internal_networks(const ConfigValues& values) {
  const auto* blocks = values.texts("networks.internal");
  if (blocks == nullptr) return Networks();
  std::vector<Cidr> internal;
  for (const ConfigText& block : *blocks) {
    const auto cidr = Cidr::parse(block.text);
    if (!cidr) {
      return refuse(block.origin,
                    in_quotes(block.text) + " is not a block; write 10.0.0.0/8 or 2001:db8::/32");
    }
    internal.push_back(*cidr);
  }
  return Networks(std::move(internal));
}

}  // namespace

HuntConfig::HuntConfig() : values(config_schema()) {}

Result<HuntConfig> HuntConfig::parse(std::string text, std::string file) {
  const auto document = ConfigDocument::parse(std::move(text), std::move(file));
  if (!document) return tl::unexpected<Error>(document.error());
  auto values = ConfigValues::read(config_schema(), *document);
  if (!values) return tl::unexpected<Error>(std::move(values.error()));
  return make(std::move(*values));
}

Result<HuntConfig> HuntConfig::make(ConfigValues values) {
  auto detection = detection_settings(values);
  if (!detection) return tl::unexpected<Error>(std::move(detection.error()));
  auto allow = allow_list(values);
  if (!allow) return tl::unexpected<Error>(std::move(allow.error()));
  auto baseline = benign_baseline(values);
  if (!baseline) return tl::unexpected<Error>(std::move(baseline.error()));
  auto networks = internal_networks(values);
  if (!networks) return tl::unexpected<Error>(std::move(networks.error()));
  HuntConfig config;
  config.detection = *detection;
  config.allow = std::move(*allow);
  config.baseline = std::move(*baseline);
  config.networks = std::move(*networks);
  config.values = std::move(values);
  return config;
}

Result<HuntConfig> HuntConfig::read(const std::string& path) {
  auto text = read_small_file(path, kLongestConfigFile);
  if (!text) return tl::unexpected<Error>(std::move(text.error()));
  return parse(std::move(*text), path == "-" ? "standard input" : path);
}

std::string HuntConfig::ignored() const {
  const auto is_set = [&](std::string_view section_or_key) {
    const auto keys = values.schema().keys();
    return std::any_of(keys.begin(), keys.end(), [&](const ConfigKey& key) {
      return key.path.starts_with(section_or_key) && key.path.find("[]") == key.path.npos &&
             values.origin(key.path).from == Origin::From::file;
    });
  };
  std::string words;
  for (const auto other : kOthers) {
    if (is_set(other)) words += (words.empty() ? "" : ", ") + std::string(other);
  }
  if (words.empty()) return words;
  return "the configuration's " + words + " belong to other programs; a hunt does not use them";
}

}  // namespace beaconry
