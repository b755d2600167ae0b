#pragma once
#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>

#include "leak/leak_book.h"
#include "leak/probe_clock.h"

namespace beaconry {

// What a LeakBook knows of one probe. Bounded.
class ProbeRecord {
 public:
  static constexpr std::size_t kMostNetworks = 1024;

  ProbeSchedule schedule;
  ProbeClock clock;
  std::optional<Timestamp> heard, control;
  Timestamp control_due{};  // since when one was waited for, where nobody knows when it was added
  bool silent = false;      // and that was told
  std::size_t leaks = 0;    // that the book keeps

  void take(const ProbeSchedule& told);
  bool is_retired(const Observation& seen) const;

  // True if it was not seen from there before.
  bool add_network(const IpAddress& outer_source);
  const std::set<IpAddress>& networks() const { return networks_; }

  // Neighbours that a ping named, so that a token's last byte becomes an address.
  void add_neighbour(const IpAddress& neighbour);
  std::optional<IpAddress> neighbour(std::uint8_t last_byte) const;

  // A cycle's number as a ping told it, so that a probe that is slower than its schedule is waited
  // for: the longest period of the two.
  void note_cycle(CycleKind kind, std::uint32_t number, Timestamp received);
  Duration period(CycleKind kind) const;

  ObservationClass classify_token(const Observation& seen);

 private:
  // Whether the neighbour answered another port, form or protocol within kDuplicate, or by another
  // hour's token within kNextHour. A token is 48 bits, and its hour, form and neighbour are not
  // known before: of a million crafted packets a minute one fits by chance every few hours. Two
  // that agree do not come by chance.
  bool has_second_witness(const Observation& seen, std::uint8_t neighbour);

  struct Witness {
    Timestamp received{};
    std::uint8_t form = 0;
    std::uint16_t port = 0;     // that answered
    std::uint8_t protocol = 0;  // of the packet that an error quotes
    Timestamp hour{};
  };
  struct Cycle {
    std::uint32_t number = 0;
    Timestamp begun{};  // when the first of it was received
    Duration measured{};
  };
  struct Token {
    Timestamp hour{}, last{};  // the newest hour, and when one last counted as a try
  };
  std::array<Cycle, 2> cycles_;
  std::set<IpAddress> networks_;
  std::map<std::uint8_t, std::optional<IpAddress>> neighbours_;    // nothing: more than one
  std::map<std::pair<std::uint8_t, std::uint8_t>, Token> tokens_;  // by form, neighbour
  std::map<std::uint8_t, Witness> witnesses_;  // by neighbour: the first that nobody confirmed yet
  Timestamp newest_hour_{};
};

}  // namespace beaconry
