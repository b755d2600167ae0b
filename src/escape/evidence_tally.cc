#include "escape/evidence_tally.h"

#include <algorithm>
#include <limits>

#include "base/text.h"

namespace beaconry {
namespace {

constexpr std::size_t kMostWords = 16;
// What a sum of a foreign file's numbers cannot overflow.
constexpr std::uint64_t kMostOfANumber = std::uint64_t{1} << 62;

struct Counted {
  std::uint64_t targets = 0, last_sequence = 0;
};

// "443,8080+2,0/47~10.0.1.50": port, variant, by way of, and how much further the sequence is.
std::optional<Counted> count_targets(std::string_view text, std::uint64_t sequence) {
  Counted counted{0, sequence};
  for (std::string_view item : split(text, ',')) {
    std::uint64_t further = 1;
    if (const auto plus = item.find('+'); plus != item.npos) {
      const auto number = parse_unsigned(item.substr(plus + 1));
      if (!number || *number > kMostOfANumber) return std::nullopt;
      further = *number;
      item = item.substr(0, plus);
    }
    if (const auto tilde = item.find('~'); tilde != item.npos) {
      const auto via = item.substr(tilde + 1);
      if (via != "-" && !IpAddress::parse(via)) return std::nullopt;
      item = item.substr(0, tilde);
    }
    const auto slash = item.find('/');
    if (slash != item.npos) {
      const auto variant = parse_unsigned(item.substr(slash + 1));
      if (!variant || *variant > std::numeric_limits<std::uint8_t>::max()) return std::nullopt;
    }
    const auto port = parse_unsigned(item.substr(0, slash));
    if (!port || *port > std::numeric_limits<std::uint16_t>::max()) return std::nullopt;
    if (counted.targets++ > 0) counted.last_sequence += further;
    if (counted.last_sequence > kMostOfANumber) return std::nullopt;
  }
  return counted;
}

// Entries are written to the millisecond: what a foreign one has beyond that no summary could keep.
std::optional<Timestamp> parse_time(std::string_view text) {
  const auto time = parse_rfc3339(text);
  if (!time) return std::nullopt;
  return std::chrono::floor<std::chrono::milliseconds>(*time);
}

std::string stamp(const char* key, Timestamp time) {
  return std::string(" ") + key + '=' + to_rfc3339(time);
}
std::string figure(const char* key, std::uint64_t value) {
  return std::string(" ") + key + '=' + std::to_string(value);
}

}  // namespace

std::optional<EvidenceEntry> EvidenceEntry::parse(std::string_view text) {
  EvidenceEntry entry;
  const auto next_word = [&] {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    return word;
  };
  const auto time = parse_time(next_word());
  entry.verb = next_word();
  if (!time || entry.verb.empty()) return std::nullopt;
  entry.time = *time;
  while (!text.empty()) {
    if (entry.words.size() + entry.values.size() > kMostWords) return std::nullopt;
    const bool is_why = text.starts_with("why=");
    const std::string_view word = is_why ? std::exchange(text, {}) : next_word();
    const auto equals = word.find('=');
    if (equals == word.npos) {
      if (word.empty() || !entry.values.empty()) return std::nullopt;
      entry.words.push_back(word);
    } else {
      entry.values.emplace_back(word.substr(0, equals), word.substr(equals + 1));
    }
  }
  return entry;
}

std::optional<std::string_view> EvidenceEntry::value(std::string_view key) const {
  for (const auto& [name, text] : values) {
    if (name == key) return text;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> EvidenceEntry::number(std::string_view key) const {
  const auto text = value(key);
  const auto number = text ? parse_unsigned(*text) : std::nullopt;
  return number && *number <= kMostOfANumber ? number : std::nullopt;
}

std::optional<Timestamp> EvidenceEntry::when(std::string_view key) const {
  const auto text = value(key);
  return text ? parse_time(*text) : std::nullopt;
}

std::string evidence_word(std::string_view name) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string word;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       c == '.' || c == '-' || c == '_' || c == ':';
    if (plain) {
      word += c;
    } else {
      word += '%';
      word += kDigits[byte >> 4];
      word += kDigits[byte & 15];
    }
  }
  return word;
}

std::optional<std::string> read_evidence_word(std::string_view word) {
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
  };
  std::string name;
  for (std::size_t at = 0; at < word.size(); ++at) {
    if (word[at] != '%') {
      name += word[at];
      continue;
    }
    if (at + 2 >= word.size()) return std::nullopt;
    const int high = digit(word[at + 1]), low = digit(word[at + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    name += static_cast<char>(high << 4 | low);
    at += 2;
  }
  return name;
}

const EvidenceTally::Marks& EvidenceTally::cycle(CycleKind kind) const {
  return kind == CycleKind::short_cycle ? short_ : long_;
}

EvidenceTally::Marks* EvidenceTally::cycle(std::string_view word) {
  if (word == "short") return &short_;
  return word == "long" ? &long_ : nullptr;
}

EvidenceReport::Row* EvidenceTally::row(std::string_view method) {
  const auto found = rows_.find(method);
  if (found != rows_.end()) return &found->second;
  constexpr std::size_t kLongestMethod = 40;
  if (rows_.size() == kMostRows || method.size() > kLongestMethod) return nullptr;
  EvidenceReport::Row& made = rows_[std::string(method)];
  made.method = std::string(method);
  return &made;
}

EvidenceReport::Heard* EvidenceTally::heard(std::string_view name) {
  const auto found = heard_.find(name);
  if (found != heard_.end()) return &found->second;
  if (heard_.size() == kMostHeard) return nullptr;
  EvidenceReport::Heard& made = heard_[std::string(name)];
  made.from = std::string(name);
  return &made;
}

MethodId EvidenceTally::long_method() const {
  return parse_method(long_method_).value_or(MethodId::none);
}

Result<void> EvidenceTally::take(const EvidenceEntry& entry) {
  const auto good = [&] {
    if (entry.verb == "summary" || entry.verb.starts_with("sum-")) return take_summary(entry);
    if (entry.verb == "began" || entry.verb == "completed") return take_cycle(entry);
    if (entry.verb == "tried" || entry.verb == "answered") return take_run(entry);
    if (entry.verb == "skipped") return take_skipped(entry);
    if (entry.verb == "heard") return take_heard(entry);
    if (entry.verb == "resumed") {
      const auto unvouched = entry.number("unsigned");
      unvouched_ += unvouched.value_or(0);
      return unvouched.has_value() && unvouched_ <= kMostOfANumber;
    }
    if (entry.verb == "lost") {
      const auto tries = entry.number("tries");
      lost_ += tries.value_or(0);
      return tries.has_value() && lost_ <= kMostOfANumber;
    }
    if (entry.verb == "reserved") {
      const auto until = entry.number("until");
      reserved_ = std::max(reserved_, until.value_or(0));
      return until.has_value();
    }
    return entry.verb == "started" || entry.verb == "mended" || entry.verb == "ended" ||
           entry.verb == "sealed";
  };
  if (!good()) {
    return fail(ErrorKind::malformed, "read", "",
                "no entry that this version knows; a newer probe's record needs a newer program");
  }
  if (entry.verb == "summary" || entry.verb.starts_with("sum-")) return {};
  ++lines_;
  if (first_ == Timestamp{}) first_ = entry.time;
  last_ = std::max(last_, entry.time);
  if (entry.verb == "sealed") {
    ++signatures_;
    last_signed_ = entry.time;
  } else {
    ended_ = entry.verb == "ended";
  }
  return {};
}

bool EvidenceTally::take_cycle(const EvidenceEntry& entry) {
  if (entry.words.size() != 2) return false;
  Marks* marks = cycle(entry.words[0]);
  const auto number = parse_unsigned(entry.words[1]);
  if (marks == nullptr || !number || *number > std::numeric_limits<std::uint32_t>::max()) {
    return false;
  }
  const auto cycle = static_cast<std::uint32_t>(*number);
  if (marks == &long_) {
    long_method_.clear();
    long_done_ = 0;
  }
  if (entry.verb == "began") {
    marks->begun = cycle;
    marks->begun_at = entry.time;
  } else {
    const Timestamp begun = marks->begun == cycle ? marks->begun_at : Timestamp{};
    marks->complete = {cycle, begun, entry.time};
  }
  return true;
}

bool EvidenceTally::take_run(const EvidenceEntry& entry) {
  const auto& words = entry.words;
  const auto sequence = entry.number("seq");
  const auto targets = entry.value("targets");
  if (words.size() != 4 || cycle(words[0]) == nullptr || !parse_unsigned(words[1]) ||
      !IpAddress::parse(words[3]) || !sequence || !targets) {
    return false;
  }
  const auto counted = count_targets(*targets, *sequence);
  const auto lasted = entry.value("for") ? entry.number("for") : std::optional<std::uint64_t>(0);
  constexpr std::uint64_t kLongestRun = 7 * 86'400'000;
  EvidenceReport::Row* of = row(words[2]);
  if (!counted || !lasted || *lasted > kLongestRun || of == nullptr) return false;
  if (entry.verb == "answered") {
    of->answered += counted->targets;
    return true;
  }
  of->tried += counted->targets;
  of->last_tried = entry.time + std::chrono::milliseconds(*lasted);
  last_sequence_ = std::max(last_sequence_, counted->last_sequence);
  if (words[0] == "long") {
    if (long_method_ != words[2]) long_done_ = 0;
    long_method_ = words[2];
    long_done_ += counted->targets;
  }
  return true;
}

bool EvidenceTally::take_skipped(const EvidenceEntry& entry) {
  const auto& words = entry.words;
  const auto why = entry.value("why");
  if (words.size() != 3 || cycle(words[0]) == nullptr || !parse_unsigned(words[1]) || !why) {
    return false;
  }
  EvidenceReport::Row* of = row(words[2]);
  if (of == nullptr) return false;
  of->why_not = std::string(*why);
  of->last_skipped = entry.time;
  return true;
}

bool EvidenceTally::take_heard(const EvidenceEntry& entry) {
  const auto name = entry.words.size() == 1 ? read_evidence_word(entry.words[0]) : std::nullopt;
  const auto pings = entry.number("pings");
  const auto until = entry.when("until");
  EvidenceReport::Heard* from = name ? heard(*name) : nullptr;
  if (!pings || !until || from == nullptr) return false;
  if (from->pings == 0) from->first = entry.time;
  from->pings += *pings;
  from->last = *until;
  return true;
}

std::vector<std::string> EvidenceTally::to_summary(const Key32& head, Timestamp now) const {
  std::vector<std::string> lines;
  const std::string time = to_rfc3339(now);
  lines.push_back(time + " summary" + figure("lines", lines_) + figure("signatures", signatures_) +
                  stamp("first", first_) + stamp("last", last_) + stamp("signed", last_signed_) +
                  figure("seq", last_sequence_) + figure("reserved", reserved_) +
                  figure("unvouched", unvouched_) + figure("lost", lost_) +
                  " head=" + to_hex(head));
  for (const bool is_long : {false, true}) {
    const Marks& marks = is_long ? long_ : short_;
    lines.push_back(time + " sum-cycle " + (is_long ? "long" : "short") +
                    figure("begun", marks.begun) + stamp("at", marks.begun_at) +
                    figure("complete", marks.complete.number) +
                    stamp("from", marks.complete.begun) + stamp("to", marks.complete.completed));
  }
  if (!long_method_.empty()) {
    lines.push_back(time + " sum-place " + long_method_ + figure("done", long_done_));
  }
  for (const auto& [method, row] : rows_) {
    lines.push_back(time + " sum-method " + method + figure("tried", row.tried) +
                    figure("answered", row.answered) + stamp("at", row.last_tried) +
                    stamp("skipped", row.last_skipped) + " why=" + row.why_not);
  }
  for (const auto& [name, from] : heard_) {
    lines.push_back(time + " sum-heard " + evidence_word(name) + figure("pings", from.pings) +
                    stamp("first", from.first) + stamp("last", from.last));
  }
  return lines;
}

bool EvidenceTally::take_summary(const EvidenceEntry& entry) {
  const auto put = [](auto& into, const auto& value) {
    if (value) into = static_cast<std::remove_reference_t<decltype(into)>>(*value);
    return value.has_value();
  };
  const bool has_word = entry.words.size() == 1;
  if (entry.verb == "summary") {
    const auto hex = entry.value("head");
    const auto head = hex ? parse_key(*hex) : Result<Key32>(Key32{});
    if (!hex || !head) return false;
    summary_head_ = *head;
    const bool good =
        put(lines_, entry.number("lines")) && put(signatures_, entry.number("signatures")) &&
        put(first_, entry.when("first")) && put(last_, entry.when("last")) &&
        put(last_signed_, entry.when("signed")) && put(last_sequence_, entry.number("seq")) &&
        put(reserved_, entry.number("reserved"));
    // Older records have none.
    put(unvouched_, entry.number("unvouched"));
    put(lost_, entry.number("lost"));
    summarised_ = lines_;
    return good;
  }
  if (entry.verb == "sum-cycle" && has_word) {
    Marks* marks = cycle(entry.words[0]);
    return marks != nullptr && put(marks->begun, entry.number("begun")) &&
           put(marks->begun_at, entry.when("at")) &&
           put(marks->complete.number, entry.number("complete")) &&
           put(marks->complete.begun, entry.when("from")) &&
           put(marks->complete.completed, entry.when("to"));
  }
  if (entry.verb == "sum-place" && has_word) {
    long_method_ = std::string(entry.words[0]);
    return put(long_done_, entry.number("done"));
  }
  if (entry.verb == "sum-method" && has_word) {
    EvidenceReport::Row* of = row(entry.words[0]);
    if (of == nullptr || !entry.value("why")) return false;
    of->why_not = std::string(*entry.value("why"));
    return put(of->tried, entry.number("tried")) && put(of->answered, entry.number("answered")) &&
           put(of->last_tried, entry.when("at")) && put(of->last_skipped, entry.when("skipped"));
  }
  if (entry.verb == "sum-heard" && has_word) {
    const auto name = read_evidence_word(entry.words[0]);
    EvidenceReport::Heard* from = name ? heard(*name) : nullptr;
    return from != nullptr && put(from->pings, entry.number("pings")) &&
           put(from->first, entry.when("first")) && put(from->last, entry.when("last"));
  }
  return false;
}

EvidenceReport EvidenceTally::report() const {
  EvidenceReport report;
  report.lines = lines_;
  report.signatures = signatures_;
  report.first = first_;
  report.last = last_;
  report.last_signed = last_signed_;
  report.clean_end = ended_;
  report.summarised_lines = summarised_;
  report.last_sequence = last_sequence_;
  report.unvouched_lines = unvouched_;
  report.lost_tries = lost_;
  report.last_short = short_.complete;
  report.last_long = long_.complete;
  for (const auto& [method, row] : rows_)
    report.rows.push_back(row);
  for (const auto& [name, from] : heard_)
    report.heard.push_back(from);
  return report;
}

}  // namespace beaconry
