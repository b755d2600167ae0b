#include "source/follow_state.h"

#include <absl/container/flat_hash_map.h>

#include <charconv>
#include <optional>

#include "base/text.h"

namespace beaconry {
namespace {

constexpr std::string_view kFirstLine = "beaconry-follow 1";
constexpr std::size_t kMostBytes = std::size_t{1} << 30;
constexpr std::size_t kMostFiles = 10'000;

// One word without blanks or newlines; never empty.
std::string escaped(std::string_view text) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out = "=";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > ' ' && byte < 127 && c != '%') {
      out += c;
    } else {
      out += '%';
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    }
  }
  return out;
}

template <class Number>
bool read_number(std::string_view text, Number& value, int base = 10) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value, base);
  return error == std::errc() && stop == end;
}

std::optional<std::string> unescaped(std::string_view text) {
  if (text.empty() || text[0] != '=') return std::nullopt;
  std::string out;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    unsigned value = 0;
    if (i + 2 >= text.size() || !read_number(text.substr(i + 1, 2), value, 16)) {
      return std::nullopt;
    }
    out += static_cast<char>(value);
    i += 2;
  }
  return out;
}

// Takes the words of a line one after the other.
class Words {
 public:
  explicit Words(std::string_view line) : rest_(line) {}

  std::string_view word() {
    const auto end = rest_.find(' ');
    const auto found = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    return found;
  }
  template <class Number>
  void number(Number& value, int base = 10) {
    ok_ = ok_ && read_number(word(), value, base);
  }
  void flag(bool& value) {
    unsigned number = 2;
    this->number(number);
    ok_ = ok_ && number < 2;
    value = number == 1;
  }
  void text(std::string& value) {
    auto found = unescaped(word());
    ok_ = ok_ && found;
    if (found) value = std::move(*found);
  }
  bool done() const { return ok_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

void append(std::string& out, const CursorState& cursor) {
  out += ' ' + std::to_string(cursor.offset) + ' ' + std::to_string(cursor.lines) + ' ' +
         (cursor.skipping ? '1' : '0') + ' ' + escaped(cursor.header);
}

void read(Words& words, CursorState& cursor) {
  words.number(cursor.offset);
  words.number(cursor.lines);
  words.flag(cursor.skipping);
  words.text(cursor.header);
}

std::string hex(std::uint64_t value) {
  char digits[16];
  return {digits, std::to_chars(digits, digits + sizeof digits, value, 16).ptr};
}

bool read_file(Words& words, FileState& file) {
  words.number(file.inode);
  words.number(file.head_size);
  words.number(file.head_hash, 16);
  words.number(file.modified);
  words.flag(file.decided);
  words.flag(file.has_names);
  words.flag(file.has_flows);
  read(words, file.names);
  read(words, file.flows);
  return words.done() && file.head_size <= FileState::kHeadBytes;
}

bool read_head(Words& words, FileHead& head) {
  words.number(head.size);
  words.number(head.hash, 16);
  return words.done() && head.size <= FileState::kHeadBytes;
}

// `text` is the number of the flow's name, 0 for none.
bool read_flow(Words& words, FlowNames::Saved& flow, std::uint64_t& text) {
  std::int64_t time = 0;
  unsigned kind = 0;
  words.number(flow.id, 16);
  words.number(time);
  words.number(kind);
  words.number(text);
  words.number(flow.burst_out);
  words.number(flow.burst_in);
  flow.time = Timestamp{Duration{time}};
  flow.kind = static_cast<NameKind>(kind);
  return words.done() && kind <= static_cast<unsigned>(NameKind::connect_target) &&
         flow.time >= kEarliest && flow.time <= kLatest;
}

tl::unexpected<Error> damaged(const char* what) {
  return fail(ErrorKind::malformed, "read", "the checkpoint of the logs followed", what);
}

}  // namespace

std::string to_text(const FollowState& state) {
  std::string out(kFirstLine);
  out += "\nsource " + escaped(state.source) + '\n';
  for (const StreamState& stream : state.streams) {
    out += "stream " + escaped(stream.path) + '\n';
    for (const FileState& file : stream.files) {
      out += "file " + std::to_string(file.inode) + ' ' + std::to_string(file.head_size) + ' ' +
             hex(file.head_hash) + ' ' + std::to_string(file.modified) +
             (file.decided ? " 1" : " 0") + (file.has_names ? " 1" : " 0") +
             (file.has_flows ? " 1" : " 0");
      append(out, file.names);
      append(out, file.flows);
      out += '\n';
    }
    for (const FileHead& head : stream.done)
      out += "done " + std::to_string(head.size) + ' ' + hex(head.hash) + '\n';
  }
  absl::flat_hash_map<std::string_view, std::uint64_t> numbers;
  for (const auto& flow : state.flows) {
    std::uint64_t text = 0;
    if (!flow.name.empty()) {
      const auto [found, added] = numbers.try_emplace(flow.name, numbers.size() + 1);
      if (added) out += "name " + escaped(flow.name) + '\n';
      text = found->second;
    }
    out += "flow " + hex(flow.id) + ' ' + std::to_string(flow.time.time_since_epoch().count()) +
           ' ' + std::to_string(static_cast<unsigned>(flow.kind)) + ' ' + std::to_string(text) +
           ' ' + std::to_string(flow.burst_out) + ' ' + std::to_string(flow.burst_in) + '\n';
  }
  out += "end " + hex(FlowNames::hash(out)) + '\n';
  return out;
}

Result<FollowState> parse_follow_state(std::string_view text) {
  if (text.size() > kMostBytes) return damaged("it is too long");
  const auto last = text.size() < 2 ? std::string_view::npos : text.rfind('\n', text.size() - 2);
  if (last == std::string_view::npos || text.back() != '\n') return damaged("it was cut");
  const std::string_view content = text.substr(0, last + 1);
  if (text.substr(last + 1) != "end " + hex(FlowNames::hash(content)) + '\n') {
    return damaged("it was cut or changed");
  }
  FollowState state;
  std::vector<std::uint64_t> texts;  // of each flow
  std::size_t files = 0;
  bool first = true;
  for (std::size_t at = 0; at < content.size();) {
    const auto end = content.find('\n', at);
    const std::string_view line = content.substr(at, end - at);
    at = end + 1;
    if (first) {
      if (line != kFirstLine) return damaged("it is of another version");
      first = false;
      continue;
    }
    Words words(line);
    const auto what = words.word();
    bool good = true;
    if (what == "source") {
      words.text(state.source);
      good = words.done();
    } else if (what == "stream") {
      words.text(state.streams.emplace_back().path);
      good = words.done() && state.streams.size() <= kMostFiles;
    } else if (what == "file") {
      good = !state.streams.empty() && ++files <= kMostFiles &&
             read_file(words, state.streams.back().files.emplace_back());
    } else if (what == "done") {
      good = !state.streams.empty() && ++files <= kMostFiles &&
             read_head(words, state.streams.back().done.emplace_back());
    } else if (what == "name") {
      words.text(state.texts.emplace_back());
      good = words.done();
    } else if (what == "flow") {
      good = read_flow(words, state.flows.emplace_back(), texts.emplace_back()) &&
             texts.back() <= state.texts.size();
    } else {
      good = false;
    }
    if (!good) return damaged("a line of it cannot be");
  }
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (texts[i] > 0) state.flows[i].name = state.texts[texts[i] - 1];
  }
  return Result<FollowState>(std::move(state));
}

}  // namespace beaconry
