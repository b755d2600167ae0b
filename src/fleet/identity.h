#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace beaconry {

// Which running systems speak with one sensor's key. A reboot brings another boot id and the one
// before is never heard again; a cloned disk makes two systems that speak in turns. Pure.
class SensorIdentity {
 public:
  enum class Heard : std::uint8_t {
    news,
    stale,     // a repeat, or overtaken by a later one of the same boot: not to be taken
    conflict,  // news, of one of two that live with the same key
  };
  struct Conflict {
    Timestamp since{}, last{};
    std::array<std::string, 2> boots, machines,
        addresses;  // of the two that were seen to take turns
  };

  Heard hear(const std::string& machine, const std::string& boot, std::uint64_t sequence,
             const std::string& address, Timestamp now);
  void set_back(Timestamp now);  // nothing was heard later
  // Until nobody took turns for an hour.
  std::optional<Conflict> conflict(Timestamp now) const;
  const std::string& machine() const { return machine_; }
  const std::string& boot() const { return boot_; }

  std::string to_json() const;
  static SensorIdentity parse(const std::string& json);  // of what was kept; empty if it is none

 private:
  struct Boot {
    std::string id, machine, address;
    std::uint64_t sequence = 0;
  };
  static constexpr std::size_t kMostBoots = 8;

  std::string machine_, boot_;
  std::vector<Boot> boots_;  // the one heard last is the last
  std::optional<Conflict> conflict_;
};

}  // namespace beaconry
