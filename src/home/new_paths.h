#pragma once
#include <cstdint>
#include <vector>

#include "base/ip_address.h"
#include "base/time.h"
#include "ping/ping.h"

namespace beaconry {

// Which (probe, method, outer network) were seen within the last hour: what is new is sent at once.
// A fixed table: where two share a place, one of them is new more often than it is. One thread.
class NewPaths {
 public:
  static constexpr std::chrono::hours kMemory{1};

  NewPaths() : table_(kPlaces) {}

  bool is_new(ProbeId probe, MethodId method, const IpAddress& source, Timestamp now) {
    const IpAddress network = source.masked(source.is_v4() ? 96 + 24 : 48);
    std::uint64_t key = mix(probe.value ^ static_cast<std::uint64_t>(method));
    key = mix(mix(key ^ network.high()) ^ network.low());
    Place& place = table_[key % kPlaces];
    const bool known = place.key == key && now - place.last <= kMemory;
    place = {key, now};
    return !known;
  }

 private:
  static constexpr std::size_t kPlaces = std::size_t{1} << 14;
  struct Place {
    std::uint64_t key = 0;
    Timestamp last{};
  };
  // The finaliser of SplitMix64.
  static std::uint64_t mix(std::uint64_t value) {
    value += 0x9e3779b97f4a7c15;
    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9;
    value = (value ^ value >> 27) * 0x94d049bb133111eb;
    return value ^ value >> 31;
  }

  std::vector<Place> table_;
};

}  // namespace beaconry
