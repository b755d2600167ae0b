#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "base/time.h"
#include "packet/found_name.h"

namespace beaconry {

// One packet, one observation: a datagram comes to the sniffer and to a socket, in either order. Of
// what was found with the same bytes within kMemory, there were as many packets as the receiver
// says that saw most of them. A fixed table: in a flood old sightings make room early, and then a
// packet may count twice. One thread.
class Sightings {
 public:
  static constexpr std::chrono::seconds kMemory{10};
  static constexpr std::size_t kMostReceivers = 8;

  struct Sighting {
    std::uint64_t key = 0;  // of the bytes; 0: nothing
    Timestamp last{};
    std::array<std::uint16_t, kMostReceivers> counts{};
    std::uint16_t packets = 0;
    bool may_answer = false;    // and nobody did yet
    std::uint64_t kept_as = 0;  // the number of its observation; 0: not kept
  };
  struct Seen {
    Sighting& sighting;  // until the next call
    bool is_new;         // another packet, not the same at another place
  };

  Sightings();
  // `receiver` below kMostReceivers.
  Seen add(ByteView sealed, std::size_t receiver, Timestamp now);

 private:
  static constexpr std::size_t kSets = std::size_t{1} << 15, kWays = 4;

  std::uint64_t key_of(ByteView sealed) const;

  std::array<std::uint8_t, 16> secret_{};  // so that nobody can choose what shares a place
  std::vector<Sighting> table_;
};

}  // namespace beaconry
