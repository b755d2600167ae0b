#include "hunt/output/notes.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <sstream>

#include "base/file.h"
#include "base/text.h"

namespace beaconry {
namespace {

constexpr std::size_t kLongestText = 2000;
constexpr std::size_t kMostRemarks = 10;

// Does `text` read as `pattern`, in which * is any run of characters? Linear but for backtracking
// to the last star, which is bounded by the names' 255 bytes.
bool wildcard_match(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0, star = std::string_view::npos, resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p, ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*')
    ++p;
  return p == pattern.size();
}

bool is_name_pattern(std::string_view text) {
  if (text.empty() || text.size() > 255) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte > 0x20 && byte != 0x7f &&
           std::string_view("/:[]<>\"").find(c) == std::string_view::npos;
  });
}

// "*", an address or a CIDR; IPv6 with or without brackets. False if it is none of them.
bool parse_end(std::string_view text, std::optional<Cidr>& out) {
  if (text == "*") return true;
  if (text.size() > 2 && text.front() == '[' && text.back() == ']') {
    text = text.substr(1, text.size() - 2);
  }
  out = Cidr::parse(text);
  return out.has_value();
}

const std::vector<std::string_view> kKeys = {"pair", "decision", "because", "until", "by"};
const std::vector<std::string_view> kDecisions = {"benign", "watch", "malicious"};

std::string joined(const std::vector<std::string_view>& words) {
  std::string text;
  for (const std::string_view word : words)
    text += (text.empty() ? "" : ", ") + std::string(word);
  return text;
}

std::size_t line_of(const YAML::Mark& mark) {
  return mark.is_null() ? 0 : static_cast<std::size_t>(std::max(0, mark.line)) + 1;
}

// Reads one note; the first thing that is wrong stands in `problem`.
class NoteReader {
 public:
  explicit NoteReader(Note& note) : note_(note) {}

  void read(const YAML::Node& node) {
    note_.line = line_of(node.Mark());
    if (!node.IsMap()) {
      wrong(node, "a note is a map of " + joined(kKeys));
      return;
    }
    std::array<bool, 5> seen{};
    for (const auto& entry : node) {
      if (!entry.first.IsScalar()) return wrong(entry.first, "a key must be a word");
      const std::string key = entry.first.Scalar();
      const auto found = std::find(kKeys.begin(), kKeys.end(), key);
      if (found == kKeys.end()) return unknown(entry.first, key);
      bool& already = seen[static_cast<std::size_t>(found - kKeys.begin())];
      if (already) return wrong(entry.first, "\"" + key + "\" is given twice");
      already = true;
      if (!entry.second.IsScalar() || entry.second.Scalar().size() > kLongestText) {
        return wrong(entry.second, "\"" + key + "\" must be a text of at most " +
                                       std::to_string(kLongestText) + " bytes");
      }
      take(key, std::string(trim(entry.second.Scalar())), entry.second);
      if (!problem_.empty()) return;
    }
    for (std::size_t i = 0; i < 3; ++i) {
      if (!seen[i]) return wrong(node, "the note has no \"" + std::string(kKeys[i]) + "\"");
    }
  }

  const std::string& problem() const { return problem_; }

 private:
  void take(const std::string& key, const std::string& value, const YAML::Node& at) {
    if (key == "pair") {
      const auto pattern = PairPattern::parse(value);
      if (!pattern) {
        return wrong(at, "\"" + terminal_safe(value) +
                             "\" is no pair; write 10.0.0.5->203.0.113.9:443/TCP, "
                             "10.0.0.5->*.example.com:443/TCP or *->203.0.113.9:*");
      }
      note_.pattern = *pattern;
      note_.pair = value;
    } else if (key == "decision") {
      const auto found = std::find(kDecisions.begin(), kDecisions.end(), value);
      if (found == kDecisions.end()) {
        return wrong(at,
                     "decision \"" + terminal_safe(value) + "\" is none of " + joined(kDecisions));
      }
      note_.decision = static_cast<Note::Decision>(found - kDecisions.begin());
    } else if (key == "because") {
      if (value.empty()) return wrong(at, "\"because\" is empty; say why, for who reads it next");
      note_.because = value;
    } else if (key == "by") {
      note_.by = value;
    } else {
      auto until = parse_rfc3339(value);
      if (!until) {
        return wrong(at, "until \"" + terminal_safe(value) +
                             "\" is no date; write 2026-12-31 or 2026-12-31T18:00:00Z");
      }
      if (value.size() == 10) *until += std::chrono::hours(24);  // that day included
      note_.until = until;
    }
  }
  void unknown(const YAML::Node& at, const std::string& key) {
    const std::string_view nearest = nearest_word(key, kKeys);
    wrong(at, "a note has no \"" + terminal_safe(key) + "\"" +
                  (nearest.empty() ? "; its keys are " + joined(kKeys)
                                   : "; did you mean \"" + std::string(nearest) + "\"?"));
  }
  void wrong(const YAML::Node& at, const std::string& what) {
    problem_ = "line " + std::to_string(line_of(at.Mark())) + ": " + what;
  }

  Note& note_;
  std::string problem_;
};

std::string words_of(const Note& note) {
  std::string text = std::string(to_string(note.decision)) + ": " + note.because;
  if (!note.by.empty()) text += " (" + note.by + ")";
  return text;
}

}  // namespace

std::optional<PairPattern> PairPattern::parse(std::string_view text) {
  text = trim(text);
  PairPattern pattern;
  const auto arrow = text.find("->");
  if (arrow == std::string_view::npos) return std::nullopt;
  if (!parse_end(text.substr(0, arrow), pattern.source_)) return std::nullopt;
  const std::string_view rest = text.substr(arrow + 2);
  const auto colon = rest.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view destination = rest.substr(0, colon);
  // An IPv6 destination needs its brackets, or its last group would be the port.
  if (destination.find(':') != std::string_view::npos && destination.front() != '[') {
    return std::nullopt;
  }
  if (!parse_end(destination, pattern.destination_)) {
    if (!is_name_pattern(destination)) return std::nullopt;
    pattern.name_ = ascii_lower(destination);
    if (pattern.name_.size() > 1 && pattern.name_.back() == '.') pattern.name_.pop_back();
  }
  const std::string_view service = rest.substr(colon + 1);
  const auto slash = service.find('/');
  const std::string_view port = service.substr(0, slash);
  if (port != "*") {
    const auto number = parse_unsigned(port);
    if (!number || *number > 65'535) return std::nullopt;
    pattern.port_ = static_cast<std::uint16_t>(*number);
  }
  if (slash == std::string_view::npos) return pattern;
  const std::string_view protocol = service.substr(slash + 1);
  if (protocol != "*") {
    pattern.protocol_ = parse_protocol(protocol);
    if (!pattern.protocol_) return std::nullopt;
  }
  return pattern;
}

bool PairPattern::matches(const ScoredPair& pair, bool every) const {
  if (source_ && !source_->contains(pair.key.source)) return false;
  if (port_ && *port_ != pair.key.port) return false;
  if (protocol_ && *protocol_ != pair.key.protocol) return false;
  if (!name_.empty()) {
    const std::string& shown = pair.server_name.empty() ? pair.address_name : pair.server_name;
    return !shown.empty() && wildcard_match(name_, ascii_lower(shown));
  }
  if (!destination_) return true;
  if (pair.kind == PairKind::address || pair.destinations.empty()) {
    return destination_->contains(pair.key.destination);
  }
  const auto within = [&](const IpAddress& address) { return destination_->contains(address); };
  return every ? std::all_of(pair.destinations.begin(), pair.destinations.end(), within)
               : std::any_of(pair.destinations.begin(), pair.destinations.end(), within);
}

std::string_view to_string(Note::Decision decision) {
  return kDecisions[static_cast<std::size_t>(decision)];
}

Result<std::vector<Note>> read_notes(const std::string& path) {
  const auto text = read_small_file(path, kLargestNotes);
  if (!text) return tl::unexpected<Error>(text.error());
  return parse_notes(*text, path);
}

Result<std::vector<Note>> parse_notes(const std::string& text, const std::string& path) {
  const auto malformed = [&](const std::string& cause) {
    return fail(ErrorKind::malformed, "read notes", path, cause);
  };
  if (text.size() > kLargestNotes) {
    return fail(ErrorKind::limit, "read notes", path,
                "larger than " + bytes_in_words(double{kLargestNotes}) + "; is it the right file?");
  }
  std::vector<Note> notes;
  try {
    const YAML::Node document = YAML::Load(text);
    if (document.IsNull()) return notes;
    if (!document.IsSequence()) {
      return malformed("line " + std::to_string(line_of(document.Mark())) +
                       ": it must be a list; begin each note with \"- pair: ...\"");
    }
    if (document.size() > kMostNotes) {
      return fail(ErrorKind::limit, "read notes", path,
                  "more than " + with_thousands(kMostNotes) + " notes");
    }
    for (const YAML::Node& node : document) {
      Note note;
      NoteReader reader(note);
      reader.read(node);
      if (!reader.problem().empty()) return malformed(reader.problem());
      notes.push_back(std::move(note));
    }
  } catch (const YAML::Exception& error) {
    return malformed("line " + std::to_string(line_of(error.mark)) +
                     ": it is no YAML: " + terminal_safe(error.msg));
  }
  return notes;
}

void apply_notes(const std::vector<Note>& notes, Timestamp now, HuntReport& report) {
  std::vector<const Note*> valid;
  std::size_t expired = 0;
  for (const Note& note : notes) {
    if (!note.until || now < *note.until) {
      valid.push_back(&note);
    } else if (++expired <= kMostRemarks) {
      report.remarks.push_back("The note of line " + std::to_string(note.line) + " on " +
                               note.pair + " (" + words_of(note) + ") expired on " +
                               to_rfc3339(*note.until) + " and does not apply.");
    }
  }
  if (expired > kMostRemarks) {
    report.remarks.push_back(with_thousands(expired - kMostRemarks) +
                             " further notes expired and do not apply.");
  }
  for (ScoredPair& pair : report.pairs) {
    const Note* strongest = nullptr;
    for (const Note* note : valid) {
      if (strongest != nullptr && note->decision <= strongest->decision) continue;
      if (note->pattern.matches(pair, note->decision == Note::Decision::benign)) strongest = note;
    }
    if (strongest == nullptr) continue;
    pair.note = words_of(*strongest);
    if (strongest->decision == Note::Decision::benign && pair.hidden == Hidden::no) {
      pair.hidden = Hidden::triaged;
      pair.hidden_reason = pair.note;
    }
  }
}

}  // namespace beaconry
