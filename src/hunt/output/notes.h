#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip_address.h"
#include "base/result.h"
#include "hunt/hunt_report.h"

namespace beaconry {

// Which pairs a note is about: "SOURCE->DESTINATION:PORT/PROTOCOL", each part exact or "*";
// ":*" alone is any port and protocol. SOURCE and DESTINATION may be addresses (IPv6 in brackets)
// or CIDRs, DESTINATION also a name in which * stands for any characters: *.example.com is
// a.example.com and a.b.example.com, not example.com.
class PairPattern {
 public:
  static std::optional<PairPattern> parse(std::string_view text);

  // A name is held against the name shown: the server's, else the one DNS gave. An address
  // against the pair's address; of a named pair against all of them (`every`), or any of them.
  bool matches(const ScoredPair& pair, bool every) const;

 private:
  std::optional<Cidr> source_, destination_;
  std::string name_;  // lower case; empty where the destination is no name
  std::optional<std::uint16_t> port_;
  std::optional<Protocol> protocol_;
};

// What somebody decided of pairs in an earlier triage.
struct Note {
  enum class Decision : std::uint8_t { benign, watch, malicious };  // the later one wins
  std::string pair;                                                 // as written
  PairPattern pattern;
  Decision decision = Decision::watch;
  std::string because, by;
  std::optional<Timestamp> until;  // does not apply from here on
  std::size_t line = 0;            // where it begins in the file
};
std::string_view to_string(Note::Decision decision);

// Reads --notes: a YAML list of {pair, decision, because, until, by}; pair, decision and because
// are required. `until` is a date (that day included, UTC) or an RFC 3339 time. Anything else is an
// error with line and remedy. At most kMostNotes notes and kLargestNotes bytes.
constexpr std::size_t kMostNotes = 100'000;
constexpr std::size_t kLargestNotes = 16U << 20;
Result<std::vector<Note>> read_notes(const std::string& path);
Result<std::vector<Note>> parse_notes(const std::string& text, const std::string& path);

// Applies them as of `now`. Benign pairs that nothing else hides become Hidden::triaged; the
// words of every decision go into the pair's note. Where several match, malicious beats watch beats
// benign: one warning outweighs any all-clear. Expired notes do not apply and are told in
// report.remarks.
void apply_notes(const std::vector<Note>& notes, Timestamp now, HuntReport& report);

}  // namespace beaconry
