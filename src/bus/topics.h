#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace beaconry {

// An instrument's place on a sensor: NAME_N, such as "beacon_0". NAME is the manifest's: a lower
// case letter, then letters, digits and single hyphens, at most 32 characters; N 0 to 999.
struct InstanceName {
  std::string instrument;
  unsigned number = 0;

  static std::optional<InstanceName> parse(std::string_view text);
  static bool is_instrument_name(std::string_view text);
  std::string to_string() const;  // beacon_0
  friend bool operator==(const InstanceName&, const InstanceName&) = default;
};

// The topics of the bus; docs/formats/instrument.md. All but the platform see only their own.
namespace topics {
std::string to_instrument(std::string_view instance);    // i/beacon_0/in: platform to instrument
std::string from_instrument(std::string_view instance);  // i/beacon_0/out: instrument to platform
std::string direct(std::string_view to, std::string_view from);  // direct/TO/FROM
std::string direct_filter(std::string_view to);                  // direct/TO/+
std::string events(std::string_view instance);                   // events/beacon/beacon_0
std::string events_filter(std::string_view instrument);          // events/beacon/+
inline constexpr std::string_view kFromAll = "i/+/out";
inline constexpr std::string_view kDirectAll = "direct/+/+";
inline constexpr std::string_view kProbe = "probe";  // the platform to itself, BusProbe
// beacon_0 of i/beacon_0/out; empty where the topic is another.
std::string_view instance_of(std::string_view topic);
// FROM of direct/TO/FROM; empty where the topic is another.
std::string_view sender_of_direct(std::string_view topic);
}  // namespace topics

}  // namespace beaconry
