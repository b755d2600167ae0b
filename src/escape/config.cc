#include "escape/config.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "config/document.h"
#include "config/values.h"

namespace beaconry {
namespace {

constexpr std::size_t kLongestName = 64;
// A DNS name has 253 characters; a sealed ping in labels takes at most this much less.
constexpr std::size_t kLongestZone = 80;
constexpr std::size_t kMostHomeAddresses = 8, kMostOwn = 16, kMostListed = 4096, kMostPorts = 4096,
                      kMostPeers = 256;
constexpr std::size_t kLongestHexShown = 15;

// Where a value stands and what it would have to be.
tl::unexpected<Error> refuse(const Origin& origin, const std::string& place, std::string cause) {
  return fail(ErrorKind::malformed, "read", origin.place.empty() ? place : origin.place,
              std::move(cause));
}

std::string shown(const std::string& text) {
  constexpr std::size_t kShown = 60;
  return '\'' + terminal_safe(std::string_view(text).substr(0, kShown)) +
         (text.size() > kShown ? "...'" : "'");
}

// What could be a seed, or a part of one, that stands in a wrong place.
void hide_keys(std::string& text) {
  const auto is_hex = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  };
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at;
    while (end < text.size() && is_hex(text[end]))
      ++end;
    if (end - at > kLongestHexShown) {
      text.replace(at, end - at, kHiddenSecret);
      end = at + kHiddenSecret.size();
    }
    at = std::max(end, at + 1);
  }
}

bool is_zone(std::string_view zone) {
  if (zone.empty() || zone.size() > kLongestZone) return false;
  const auto labels = split(zone, '.');
  return std::all_of(labels.begin(), labels.end(), [](std::string_view label) {
    constexpr std::size_t kMostOfALabel = 63;
    return !label.empty() && label.size() <= kMostOfALabel && label.front() != '-' &&
           label.back() != '-' && std::all_of(label.begin(), label.end(), [](char c) {
             return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
           });
  });
}

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= kLongestName && terminal_safe(name) == name &&
         utf8_valid(name) == name;
}

// Fills a ProbeConfig from values that fit the schema; the first fault is kept.
class Reader {
 public:
  Reader(const ConfigValues& values, std::string place)
      : values_(values), place_(std::move(place)) {}

  Result<ProbeConfig> read() {
    read_party();
    read_schedule();
    read_segment();
    read_budget();
    read_control();
    read_peers();
    if (fault_) return tl::unexpected<Error>(std::move(*fault_));
    return std::move(config_);
  }

 private:
  void fault(const Origin& origin, std::string cause) {
    if (!fault_) fault_ = refuse(origin, place_, std::move(cause)).value();
  }
  void fault(std::string_view path, std::string cause) {
    fault(values_.origin(path), std::move(cause));
  }

  // Says nothing of the text: it may be secret.
  Key32 key(const ConfigValues& values, std::string_view path, const std::string& text) {
    const auto read = parse_key(text);
    if (read && *read != Key32{}) return *read;
    fault(values.origin(path), '\'' + std::string(path) +
                                   "' must be 64 hex digits, as 'beaconry probes add' prints them");
    return {};
  }
  Key32 wanted_key(std::string_view path) {
    const auto text = values_.text(path);
    if (text) return key(values_, path, *text);
    fault(path, '\'' + std::string(path) +
                    "' is missing; 'beaconry probes add NAME' prints a whole configuration");
    return {};
  }

  // Each text of a list by `parse`, which gives an optional.
  template <class T, class Parse>
  std::vector<T> list(std::string_view path, std::size_t most, const char* expected, Parse parse) {
    std::vector<T> items;
    const auto* texts = values_.texts(path);
    if (texts == nullptr) return items;
    if (texts->size() > most) {
      fault(path, '\'' + std::string(path) + "' may have " + std::to_string(most) + " items, has " +
                      std::to_string(texts->size()));
      return items;
    }
    for (const ConfigText& text : *texts) {
      const auto item = parse(text.text);
      if (!item) {
        fault(text.origin, '\'' + std::string(path) + "' holds " + shown(text.text) +
                               ", which is not " + expected);
        return items;
      }
      items.push_back(*item);
    }
    return items;
  }
  std::vector<IpAddress> address_list(std::string_view path, std::size_t most) {
    return list<IpAddress>(path, most, "an IPv4 or IPv6 address", IpAddress::parse);
  }
  IpAddress address(const ConfigValues& values, std::string_view path, const std::string& text) {
    const auto read = IpAddress::parse(text);
    if (read) return *read;
    fault(values.origin(path), '\'' + std::string(path) + "' is " + shown(text) +
                                   ", which is not an IPv4 or IPv6 address");
    return {};
  }
  std::string name(const ConfigValues& values, std::string_view path) {
    std::string text = values.text(path).value_or("");
    if (!is_name(text)) {
      fault(values.origin(path), '\'' + std::string(path) + "' must be 1 to " +
                                     std::to_string(kLongestName) +
                                     " bytes without control characters");
    }
    return text;
  }
  std::chrono::seconds seconds(std::string_view path) {
    return std::chrono::ceil<std::chrono::seconds>(*values_.duration(path));
  }

  void read_party() {
    config_.name = name(values_, "name");
    config_.seed = wanted_key("seed");
    config_.home.addresses = address_list("home.addresses", kMostHomeAddresses);
    if (config_.home.addresses.empty()) {
      fault("home.addresses", "'home.addresses' is missing; name where home listens");
    }
    config_.home.key = wanted_key("home.key");
    std::string zone = ascii_lower(values_.text("home.zone").value_or(""));
    if (zone.ends_with('.')) zone.pop_back();
    if (!zone.empty() && !is_zone(zone)) {
      fault("home.zone", "'home.zone' must be a DNS name of at most " +
                             std::to_string(kLongestZone) + " characters, is " + shown(zone));
    }
    config_.home.zone = std::move(zone);
  }

  void read_schedule() {
    config_.profile = *parse_profile(*values_.text("profile"));
    if (auto text = values_.text("end")) {
      constexpr std::size_t kDateOnly = 10;
      const auto end = parse_rfc3339(text->size() == kDateOnly ? *text + "T00:00:00Z" : *text);
      if (!end) {
        fault("end",
              "'end' must be a date or time such as 2027-01-31T18:00:00Z, is " + shown(*text));
      } else {
        config_.end = std::chrono::floor<std::chrono::milliseconds>(*end);
      }
    }
    config_.short_period = seconds("short_period");
    config_.long_cycle = values_.boolean("long_cycle");
  }

  void read_segment() {
    config_.dhcp = values_.boolean("dhcp");
    config_.router_advertisements = values_.boolean("router_advertisements");
    config_.own_hosts = list<IpAddress>(
        "addresses", kMostOwn, "an address with the length of its prefix, such as 10.0.1.9/24",
        [](const std::string& text) {
          const bool has_length = text.find('/') != std::string::npos && Cidr::parse(text);
          return has_length ? IpAddress::parse(text.substr(0, text.find('/'))) : std::nullopt;
        });
    if (const auto* texts = values_.texts("addresses"); texts != nullptr && !fault_) {
      for (const ConfigText& text : *texts)
        config_.addresses.push_back(*Cidr::parse(text.text));
    }
    config_.gateways = address_list("gateways", kMostOwn);
    config_.resolvers = address_list("resolvers", kMostOwn);
    config_.neighbours = address_list("neighbours", kMostListed);
    config_.ports =
        list<std::uint16_t>("ports", kMostPorts, "a port from 1 to 65535",
                            [](const std::string& text) -> std::optional<std::uint16_t> {
                              const auto port = parse_unsigned(text);
                              if (!port || *port == 0 || *port > 65'535) return {};
                              return static_cast<std::uint16_t>(*port);
                            });
    config_.evidence = values_.text("evidence").value_or("");
  }

  void read_budget() {
    config_.packets_a_second = *values_.number("budget.packets_a_second");
    config_.bytes_a_second = *values_.number("budget.bytes_a_second");
    config_.broadcasts_a_minute = *values_.number("budget.broadcasts_a_minute");
    config_.forbidden_addresses = list<Cidr>(
        "budget.forbidden.addresses", kMostListed, "an address or block such as 10.0.2.0/24",
        [](const std::string& text) { return Cidr::parse(text); });
    config_.forbidden_macs =
        list<MacAddress>("budget.forbidden.macs", kMostListed,
                         "an Ethernet address such as 02:00:5e:10:00:01", MacAddress::parse);
    config_.forbidden_methods =
        list<MethodId>("budget.forbidden.methods", kMostListed,
                       "a method; 'beaconry-escape --list-methods' names them", parse_method);
  }

  void read_control() {
    const auto destination = values_.text("control.destination");
    const auto port = values_.count("control.port");
    if (!destination && !port) return;
    if (!destination || !port) {
      fault(destination ? "control.destination" : "control.port",
            "'control' needs both 'destination' and 'port'");
      return;
    }
    ProbeConfig::Control control;
    control.destination = address(values_, "control.destination", *destination);
    control.port = static_cast<std::uint16_t>(*port);
    control.tcp = *values_.text("control.transport") == "tcp";
    control.every = seconds("control.every");
    config_.control = control;
  }

  void read_peers() {
    config_.listen = values_.boolean("listen");
    const ConfigRecords* peers = values_.records("peers");
    if (peers == nullptr) return;
    if (peers->size() > kMostPeers) {
      fault("peers", "'peers' may have " + std::to_string(kMostPeers) + " items, has " +
                         std::to_string(peers->size()));
      return;
    }
    for (const ConfigValues& record : *peers) {
      Peer peer;
      peer.name = name(record, "peers[].name");
      peer.address =
          address(record, "peers[].address", record.text("peers[].address").value_or(""));
      peer.key = key(record, "peers[].key", record.text("peers[].key").value_or(""));
      peer.may_reach = record.boolean("peers[].may_reach");
      config_.peers.push_back(std::move(peer));
    }
  }

  const ConfigValues& values_;
  std::string place_;
  ProbeConfig config_;
  std::optional<Error> fault_;
};

}  // namespace

std::string_view to_string(Profile profile) {
  switch (profile) {
    case Profile::ot:
      return "ot";
    case Profile::office:
      return "office";
    case Profile::lab:
      return "lab";
  }
  return "unknown";
}

std::optional<Profile> parse_profile(std::string_view word) {
  for (const Profile profile : {Profile::ot, Profile::office, Profile::lab}) {
    if (to_string(profile) == word) return profile;
  }
  return std::nullopt;
}

Result<ProbeConfig> ProbeConfig::parse(std::string_view text, const std::string& place) {
  const auto read = [&]() -> Result<ProbeConfig> {
    const auto document = ConfigDocument::parse(std::string(text), place);
    if (!document) return tl::unexpected<Error>(document.error());
    const auto values = ConfigValues::read(probe_config_schema(), *document);
    if (!values) return tl::unexpected<Error>(values.error());
    return Reader(*values, terminal_safe(place)).read();
  };
  auto config = read();
  if (!config) hide_keys(config.error().cause);
  return config;
}

}  // namespace beaconry
