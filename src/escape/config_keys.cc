#include "escape/config.h"

namespace beaconry {
namespace {

constexpr double kDay = 86'400;
constexpr ConfigType kBoolean = ConfigType::boolean, kCount = ConfigType::count,
                     kNumber = ConfigType::number, kDuration = ConfigType::duration,
                     kText = ConfigType::text, kTexts = ConfigType::texts,
                     kRecords = ConfigType::records;

constexpr ConfigKey choice(std::string_view path, std::string_view choices, std::string_view words,
                           std::string_view fallback) {
  ConfigKey key{path, kText, words, fallback};
  key.choices = choices;
  return key;
}

constexpr ConfigKey secret(std::string_view path, std::string_view words) {
  ConfigKey key{path, kText, words};
  key.secret = true;
  return key;
}

constexpr ConfigKey required(std::string_view path, std::string_view words) {
  ConfigKey key{path, kText, words};
  key.required = true;
  return key;
}

constexpr ConfigKey kKeys[] = {
    {"name", kText, "What the probe is called, in its own output and its evidence.", "probe"},
    secret("seed",
           "Must be given. 64 hex digits from which its keys derive: a secret, made by `beaconry "
           "probes add`."),
    {"home.addresses", kTexts,
     "Must be given. Where home listens; the first address of each family is tried.", "empty"},
    {"home.key", kText, "Must be given. Home's public key, 64 hex digits."},
    {"home.zone", kText,
     "DNS zone that home answers for, such as `t.example.org`; unset: DNS is not tried."},
    choice("profile", "ot|office|lab",
           "How bold it is: `ot` sends nothing spoofed, malformed, fragmented, source-routed or "
           "broadcast, and nothing to neighbours that are not listed.",
           "ot"),
    {"end", kText,
     "Date or time (UTC, RFC 3339) from which on it is silent: `2027-01-31`, "
     "`2027-01-31T18:00:00Z`."},
    {"short_period", kDuration, "From one beginning of the short cycle to the next.", "30m", 1,
     7 * kDay},
    {"long_cycle", kBoolean, "Whether every port and protocol is tried in between.", "true"},
    {"dhcp", kBoolean, "Whether it asks for an IPv4 address by DHCP; not with a static one.",
     "true"},
    {"router_advertisements", kBoolean,
     "Whether it takes IPv6 addresses and routers from router advertisements.", "true"},
    {"addresses", kTexts,
     "Static addresses with the length of their network's prefix: `[10.0.1.9/24]`.", "empty"},
    {"gateways", kTexts, "Gateways, besides those that are learnt.", "empty"},
    {"resolvers", kTexts, "DNS resolvers, besides those that are learnt.", "empty"},
    {"budget.packets_a_second", kNumber, "Frames that leave, at most.", "1", 0.01, 100'000},
    {"budget.bytes_a_second", kNumber, "Bytes that leave, at most.", "1500", 64, 1e9},
    {"budget.broadcasts_a_minute", kNumber,
     "Frames to all hosts or to a group, ARP and DHCP included, at most; 0: none, so that it finds "
     "no gateway by itself.",
     "6", 0, 60'000},
    {"budget.forbidden.addresses", kTexts,
     "Addresses and blocks to which nothing is sent, by whatever way.", "empty"},
    {"budget.forbidden.macs", kTexts, "Ethernet addresses to which nothing is sent.", "empty"},
    {"budget.forbidden.methods", kTexts,
     "Methods that are not tried: `beaconry-escape "
     "--list-methods` names them.",
     "empty"},
    {"neighbours", kTexts, "Neighbours that the profile `ot` may send to.", "empty"},
    {"ports", kTexts, "TCP and UDP ports of the short cycle; empty: about forty usual ones.",
     "empty"},
    {"control.destination", kText,
     "Positive control: an address to which a way is meant to be open, so that pings prove that "
     "home and alerting work."},
    {"control.port", kCount, "Its port.", "", 1, 65'535},
    choice("control.transport", "udp|tcp", "How it is reached.", "udp"),
    {"control.every", kDuration, "Between two of them.", "30m", 1, 7 * kDay},
    {"listen", kBoolean, "Whether it takes pings of its peers, for tests from zone to zone.",
     "false"},
    {"peers", kRecords, "Other probes, tried as home is.", "none"},
    required("peers[].name", "What it is called."),
    required("peers[].address", "Its address."),
    required("peers[].key", "Its public key, 64 hex digits."),
    {"peers[].may_reach", kBoolean, "Whether a way to it is meant to be open.", "false"},
    {"evidence", kText, "File that keeps what was tried; unset: in memory only."},
};

}  // namespace

ConfigSchema probe_config_schema() {
  return ConfigSchema(kKeys);
}

}  // namespace beaconry
