#include "escape/evidence_chain.h"

#include <sodium.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/text.h"

namespace beaconry {
namespace {

constexpr std::string_view kMagic = "beaconry-evidence 1";
constexpr std::string_view kToSign = "beaconry-evidence-1:";
constexpr std::size_t kCheckBytes = 4;

ByteView bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::optional<std::array<std::uint8_t, 64>> parse_signature(std::string_view hex) {
  constexpr std::size_t kDigitsOfAKey = 64;
  const auto first = parse_key(hex.substr(0, kDigitsOfAKey));
  const auto second = parse_key(hex.substr(std::min(hex.size(), kDigitsOfAKey)));
  if (!first || !second) return std::nullopt;
  std::array<std::uint8_t, 64> signature{};
  std::copy(first->begin(), first->end(), signature.begin());
  std::copy(second->begin(), second->end(), signature.begin() + 32);
  return signature;
}

}  // namespace

std::string EvidenceHeader::to_line() const {
  return std::string(kMagic) + " probe=" + evidence_word(name) + " id=" + id.to_string() +
         " sign=" + to_hex(sign_public) + " made=" + to_rfc3339(made);
}

std::optional<EvidenceHeader> EvidenceHeader::parse(std::string_view line) {
  if (!line.starts_with(kMagic)) return std::nullopt;
  const auto words = split(line.substr(kMagic.size()), ' ');
  constexpr std::string_view kKeys[] = {"", "probe=", "id=", "sign=", "made="};
  if (words.size() != std::size(kKeys)) return std::nullopt;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (!words[i].starts_with(kKeys[i])) return std::nullopt;
  }
  const auto name = read_evidence_word(words[1].substr(kKeys[1].size()));
  const auto id = ProbeId::parse(words[2].substr(kKeys[2].size()));
  const auto key = parse_key(words[3].substr(kKeys[3].size()));
  const auto made = parse_rfc3339(words[4].substr(kKeys[4].size()));
  if (!name || !id || !key || !made) return std::nullopt;
  EvidenceHeader header{*name, *id, *key, *made};
  if (header.to_line() != line) return std::nullopt;  // one way to write it
  return header;
}

EvidenceChain::EvidenceChain(std::string_view header_line) {
  add(header_line);
}

std::string EvidenceChain::add(std::string_view text) {
  crypto_generichash_state state;
  crypto_generichash_init(&state, nullptr, 0, head_.size());
  crypto_generichash_update(&state, head_.data(), head_.size());
  const ByteView bytes = bytes_of(text);
  crypto_generichash_update(&state, bytes.data(), bytes.size());
  crypto_generichash_final(&state, head_.data(), head_.size());
  return to_hex(ByteView(head_).first(kCheckBytes));
}

EvidenceChain::Message EvidenceChain::message_to_sign() const {
  static_assert(std::tuple_size_v<Message> == kToSign.size() + sizeof(Key32));
  Message message{};
  std::copy(kToSign.begin(), kToSign.end(), message.begin());
  std::copy(head_.begin(), head_.end(), message.begin() + kToSign.size());
  return message;
}

Result<void> EvidenceVerifier::take(std::string_view line) {
  ++line_number_;
  const auto place = [&] { return "line " + std::to_string(line_number_); };
  if (line_number_ == 1) {
    const auto header = EvidenceHeader::parse(line);
    if (!header) {
      return fail(ErrorKind::malformed, "read", place(),
                  "not the beginning of an evidence file of a version that this program knows");
    }
    header_ = *header;
    chain_ = EvidenceChain(line);
    return {};
  }
  auto taken = take_entry(line);
  if (!taken) taken.error().subject = place();
  return taken;
}

Result<void> EvidenceVerifier::take_entry(std::string_view line) {
  const auto refuse = [](std::string cause) {
    return fail(ErrorKind::malformed, "verify", "", std::move(cause));
  };
  if (line.size() < 2 * kCheckBytes + 1 || line[2 * kCheckBytes] != ' ') {
    return refuse("no line of an evidence file");
  }
  const std::string_view text = line.substr(2 * kCheckBytes + 1);
  EvidenceChain chain = chain_;
  if (chain.add(text) != line.substr(0, 2 * kCheckBytes)) {
    return refuse(
        "it does not follow from what stands before it: lines were changed, removed, added or "
        "moved");
  }
  const auto entry = EvidenceEntry::parse(text);
  if (!entry) return refuse("no entry");
  const bool summarises = entry->verb == "summary" || entry->verb.starts_with("sum-");
  if (summarises && (entry->verb == "summary") != (line_number_ == 2)) {
    return refuse("a summary in the wrong place");
  }
  if (entry->verb == "summary") in_summary_ = true;
  if (in_summary_ && !summarises && entry->verb != "sealed") return refuse("a summary without end");
  if (!in_summary_ && summarises) return refuse("a summary in the wrong place");
  if (entry->verb == "sealed") {
    if (auto good = check_signature(*entry); !good) return good;
  }
  if (in_summary_ && entry->verb == "sealed") {
    in_summary_ = false;
    unsigned_lines_ = 0;
    signed_tally_ = tally_;
    chain_.go_on_from(tally_.summary_head());
    return {};
  }
  if (entry->verb == "resumed") {
    // What nobody had signed is not vouched for by the signatures to come.
    if (entry->number("unsigned") != unsigned_lines_) return refuse("another number of lines");
    tally_ = signed_tally_;
  }
  if (auto taken = tally_.take(*entry); !taken) return taken;
  chain_ = chain;
  unsigned_lines_ = entry->verb == "sealed" ? 0 : unsigned_lines_ + 1;
  if (entry->verb == "sealed") signed_tally_ = tally_;
  return {};
}

Result<void> EvidenceVerifier::check_signature(const EvidenceEntry& entry) const {
  const auto hex = entry.value("sig");
  const auto signature = hex ? parse_signature(*hex) : std::nullopt;
  if (!signature || !verify_signature(header_.sign_public, chain_.message_to_sign(), *signature)) {
    return fail(ErrorKind::malformed, "verify", "",
                "the signature is not that of key " + to_hex(header_.sign_public) +
                    " over what stands before it");
  }
  return {};
}

Result<std::uint64_t> read_evidence_lines(
    int file, const std::string& path, std::uint64_t up_to,
    const std::function<bool(std::string_view line, std::uint64_t end)>& take) {
  constexpr std::size_t kBlock = 64 * 1024;
  std::string held;
  std::uint64_t read = 0, place = 0;
  while (read < up_to) {
    const std::size_t had = held.size();
    const std::size_t wanted =
        static_cast<std::size_t>(std::min<std::uint64_t>(kBlock, up_to - read));
    held.resize(had + wanted);
    const ssize_t got = ::pread(file, held.data() + had, wanted, static_cast<off_t>(read));
    if (got < 0 && errno == EINTR) {
      held.resize(had);
      continue;
    }
    if (got < 0) return fail_errno("read", path);
    held.resize(had + static_cast<std::size_t>(got));
    if (got == 0) break;
    read += static_cast<std::uint64_t>(got);
    std::size_t begin = 0;
    for (std::size_t end; (end = held.find('\n', begin)) != held.npos; begin = end + 1) {
      place += end + 1 - begin;
      if (end - begin > EvidenceVerifier::kLongestLine) return up_to - place + (end + 1 - begin);
      if (!take(std::string_view(held).substr(begin, end - begin), place)) return std::uint64_t{0};
    }
    held.erase(0, begin);
    if (held.size() > EvidenceVerifier::kLongestLine) break;
  }
  return static_cast<std::uint64_t>(held.size());
}

}  // namespace beaconry
