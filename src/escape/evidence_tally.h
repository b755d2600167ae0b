#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "escape/evidence.h"

namespace beaconry {

// One line of an evidence file behind its check: "2026-11-21T18:00:00.000Z began short 3". Words,
// then key=value; `why` takes the rest of the line. Views into the line.
struct EvidenceEntry {
  Timestamp time{};
  std::string_view verb;
  std::vector<std::string_view> words;
  std::vector<std::pair<std::string_view, std::string_view>> values;

  static std::optional<EvidenceEntry> parse(std::string_view text);
  std::optional<std::string_view> value(std::string_view key) const;
  std::optional<std::uint64_t> number(std::string_view key) const;
  std::optional<Timestamp> when(std::string_view key) const;
};

// A name as one word: what could part words is %XX.
std::string evidence_word(std::string_view name);
std::optional<std::string> read_evidence_word(std::string_view word);

// What all lines of a file add up to: the report, and what a restart needs. The same whether the
// lines are read or a summary of them. Bounded, whatever the lines.
class EvidenceTally {
 public:
  // Everything but signatures and the chain. The error says what is wrong with the entry.
  Result<void> take(const EvidenceEntry& entry);

  // Texts of the lines that say all of this again; the first one has the chain's head to go on
  // from.
  std::vector<std::string> to_summary(const Key32& head, Timestamp now) const;
  const Key32& summary_head() const { return summary_head_; }

  // Without what is known of the file as a whole.
  EvidenceReport report() const;
  std::uint32_t begun(CycleKind kind) const { return cycle(kind).begun; }
  std::uint64_t last_sequence() const { return last_sequence_; }
  Timestamp latest() const { return last_; }
  std::uint64_t reserved() const { return reserved_; }
  MethodId long_method() const;
  std::uint64_t long_done() const { return long_done_; }

 private:
  struct Marks {
    std::uint32_t begun = 0;
    Timestamp begun_at{};
    EvidenceReport::Cycle complete;
  };
  static constexpr std::size_t kMostRows = 256, kMostHeard = 4096;

  const Marks& cycle(CycleKind kind) const;
  Marks* cycle(std::string_view word);
  EvidenceReport::Row* row(std::string_view method);
  EvidenceReport::Heard* heard(std::string_view name);
  bool take_summary(const EvidenceEntry& entry);
  bool take_cycle(const EvidenceEntry& entry);
  bool take_run(const EvidenceEntry& entry);
  bool take_skipped(const EvidenceEntry& entry);
  bool take_heard(const EvidenceEntry& entry);

  std::uint64_t lines_ = 0, signatures_ = 0, summarised_ = 0;
  Timestamp first_{}, last_{}, last_signed_{};
  std::uint64_t last_sequence_ = 0, reserved_ = 0, unvouched_ = 0, lost_ = 0;
  Marks short_, long_;
  std::string long_method_;  // of a long cycle that is not complete
  std::uint64_t long_done_ = 0;
  bool ended_ = false;
  std::map<std::string, EvidenceReport::Row, std::less<>> rows_;
  std::map<std::string, EvidenceReport::Heard, std::less<>> heard_;
  Key32 summary_head_{};
};

}  // namespace beaconry
