#pragma once
#include <array>
#include <cstdint>
#include <deque>
#include <unordered_map>

#include "base/time.h"
#include "ping/ping.h"

namespace beaconry {

// The tries that arrived, of all probes, the newest kMost: when they did, and in which leaks. Of
// what is older only the highest sequence number is kept: up to it everything counts as seen.
class SeenTries {
 public:
  static constexpr std::size_t kMost = 262'144;

  struct Seen {
    Timestamp outbound{}, confirmed{};  // first arrivals; kEarliest: never
    struct Joined {
      std::uint64_t leak = 0;  // 0: none
      std::uint8_t legs = 0;   // bits of Leg
    };
    std::array<Joined, 4> joined{};  // the leaks that it was counted in
    enum class Join { first, other_leg, again };
    // Where there is no room for another leak it counts as known there.
    Join join(std::uint64_t leak, Leg leg);
  };
  // Nothing: it never arrived, as far as is remembered.
  Seen* find(ProbeId probe, std::uint64_t sequence);
  Seen& add(ProbeId probe, std::uint64_t sequence);
  // Whether it may have arrived before what is remembered.
  bool is_forgotten(ProbeId probe, std::uint64_t sequence) const;
  // Up to here everything counts as seen.
  void forget_to(ProbeId probe, std::uint64_t sequence);
  bool knows(ProbeId probe) const { return forgotten_.count(probe.value) != 0; }

 private:
  struct Key {
    std::uint64_t probe = 0, sequence = 0;
    friend bool operator==(const Key&, const Key&) = default;
  };
  struct Hash {
    std::size_t operator()(const Key& key) const {
      return static_cast<std::size_t>((key.probe ^ key.sequence * 0x9e3779b97f4a7c15ull) *
                                      0xbf58476d1ce4e5b9ull);
    }
  };
  std::unordered_map<Key, Seen, Hash> seen_;
  std::deque<Key> order_;
  std::unordered_map<std::uint64_t, std::uint64_t> forgotten_;  // by probe
};

}  // namespace beaconry
