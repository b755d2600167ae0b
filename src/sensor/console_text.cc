#include "sensor/console_text.h"

#include "base/text.h"

namespace beaconry {
namespace {

constexpr char kEscape = '\x1b';

// Past the escape that begins at `at` (ECMA-48): CSI up to its final byte, strings such as OSC up
// to BEL or ST, others with their intermediate bytes. One that never ends takes at most a line.
std::size_t past_escape(std::string_view text, std::size_t at) {
  std::size_t i = at + 1;
  if (i >= text.size()) return text.size();
  const char kind = text[i];
  if (kind == '[') {
    for (++i; i < text.size() && text[i] != '\n'; ++i) {
      if (text[i] >= '@' && text[i] <= '~') return i + 1;
    }
    return i;
  }
  if (kind == ']' || kind == 'P' || kind == 'X' || kind == '^' || kind == '_') {
    for (++i; i < text.size() && text[i] != '\n'; ++i) {
      if (text[i] == '\a') return i + 1;
      if (text[i] == kEscape && i + 1 < text.size() && text[i + 1] == '\\') return i + 2;
    }
    return i;
  }
  while (i < text.size() && text[i] >= ' ' && text[i] <= '/')
    ++i;
  return i < text.size() && text[i] != '\n' ? i + 1 : i;
}

std::string without_escapes(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] == kEscape) {
      i = past_escape(text, i);
    } else {
      out += text[i++];
    }
  }
  return out;
}

}  // namespace

std::string console_text(std::string_view written, std::size_t most_bytes) {
  const std::string plain = without_escapes(written);
  std::string out;
  for (std::string_view line : split(plain, '\n')) {
    while (line.ends_with('\r'))
      line.remove_suffix(1);
    if (const auto over = line.rfind('\r'); over != line.npos) line.remove_prefix(over + 1);
    std::string_view rest = line;
    while (!rest.empty()) {  // tabs are no harm
      const auto tab = rest.find('\t');
      out += terminal_safe(rest.substr(0, tab));
      if (tab == rest.npos) break;
      out += '\t';
      rest.remove_prefix(tab + 1);
    }
    out += '\n';
  }
  if (!out.empty()) out.pop_back();  // split() gives what follows the last newline too
  if (out.size() <= most_bytes) return out;
  const auto line = out.find('\n', out.size() - most_bytes - 1);
  return line == out.npos ? std::string() : out.substr(line + 1);
}

}  // namespace beaconry
