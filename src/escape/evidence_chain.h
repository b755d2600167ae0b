#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "escape/evidence_tally.h"
#include "ping/keys.h"

namespace beaconry {

// The first line of an evidence file: whose record it is.
struct EvidenceHeader {
  std::string name;
  ProbeId id;
  Key32 sign_public{};
  Timestamp made{};

  std::string to_line() const;
  static std::optional<EvidenceHeader> parse(std::string_view line);
};

// What every line hangs on: BLAKE2b-256 of the head before it and its text.
class EvidenceChain {
 public:
  EvidenceChain() = default;
  explicit EvidenceChain(std::string_view header_line);

  // Takes a line's text; gives its check, which stands before it in the file.
  std::string add(std::string_view text);
  const Key32& head() const { return head_; }
  void go_on_from(const Key32& head) { head_ = head; }
  using Message = std::array<std::uint8_t, 52>;
  Message message_to_sign() const;

 private:
  Key32 head_{};
};

// Takes a file's lines one after the other and holds each against the chain, each signature against
// the key that the first line names, and each entry against its syntax.
class EvidenceVerifier {
 public:
  static constexpr std::size_t kLongestLine = 64 * 1024;

  // Without its line break. Errors begin with "line N".
  Result<void> take(std::string_view line);

  bool has_header() const { return line_number_ > 0; }
  const EvidenceHeader& header() const { return header_; }
  const EvidenceChain& chain() const { return chain_; }
  const EvidenceTally& tally() const { return tally_; }
  // Of what is signed: up to the last signature.
  const EvidenceTally& signed_tally() const { return signed_tally_; }
  std::uint64_t unsigned_lines() const { return unsigned_lines_; }

 private:
  Result<void> take_entry(std::string_view line);
  Result<void> check_signature(const EvidenceEntry& entry) const;

  EvidenceHeader header_;
  EvidenceChain chain_;
  EvidenceTally tally_, signed_tally_;
  std::uint64_t line_number_ = 0, unsigned_lines_ = 0;
  bool in_summary_ = false;
};

// Gives each whole line of a file, and the place behind it, to `take` until that says false. Gives
// the number of bytes of a last line without an end, or of one that is too long.
Result<std::uint64_t> read_evidence_lines(
    int file, const std::string& path, std::uint64_t up_to,
    const std::function<bool(std::string_view line, std::uint64_t end)>& take);

}  // namespace beaconry
