#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "escape/evidence.h"

namespace beaconry {

// Tries that go together, gathered so that 65,535 ports need no 65,535 lines: of one verb, cycle,
// method and destination, with each try's port, variant, way and sequence. Bounded: what is full or
// old enough is given back as a line's text.
class EvidenceRuns {
 public:
  // `verb`: "tried" or "answered".
  void add(const char* verb, const Try& made, Timestamp now);
  void add_heard(std::string_view peer, const Ping& ping, Timestamp now);

  // The texts of those that are due, in the order of their first tries; all: whether they are or
  // not.
  std::vector<std::string> take_due(Timestamp now);
  std::vector<std::string> take_all();

 private:
  struct Run {
    std::string head;  // "tried long 2 udp-port 203.0.113.10"
    Timestamp first{}, last{};
    std::uint64_t first_sequence = 0, last_sequence = 0;
    IpAddress via;
    std::size_t count = 0;
    std::string targets;
  };
  struct Heard {
    Timestamp first{}, last{};
    std::uint64_t pings = 0;
  };
  static std::string text_of(const Run& run);

  std::vector<Run> runs_;  // few: by their beginning
  std::map<std::string, Heard, std::less<>> heard_;
};

}  // namespace beaconry
