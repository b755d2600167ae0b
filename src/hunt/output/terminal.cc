#include "hunt/output/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <vector>

#include "base/text.h"

namespace beaconry {
namespace {

struct Range {
  std::uint32_t first, last;
};

// Unicode 15: East_Asian_Width W and F, and characters shown as emoji by default.
constexpr Range kWide[] = {
    {0x1100, 0x115f},   {0x231a, 0x231b},   {0x23e9, 0x23ec},   {0x25fd, 0x25fe},
    {0x2614, 0x2615},   {0x2648, 0x2653},   {0x26a1, 0x26a1},   {0x26d4, 0x26d4},
    {0x2705, 0x2705},   {0x274c, 0x274c},   {0x2753, 0x2757},   {0x2795, 0x2797},
    {0x2e80, 0x303e},   {0x3041, 0x33ff},   {0x3400, 0x4dbf},   {0x4e00, 0x9fff},
    {0xa000, 0xa4cf},   {0xa960, 0xa97f},   {0xac00, 0xd7a3},   {0xf900, 0xfaff},
    {0xfe10, 0xfe19},   {0xfe30, 0xfe6f},   {0xff01, 0xff60},   {0xffe0, 0xffe6},
    {0x16fe0, 0x18cff}, {0x1b000, 0x1b2ff}, {0x1f004, 0x1f004}, {0x1f0cf, 0x1f0cf},
    {0x1f18e, 0x1f19a}, {0x1f200, 0x1f320}, {0x1f32d, 0x1f64f}, {0x1f680, 0x1f6ff},
    {0x1f7e0, 0x1f7eb}, {0x1f900, 0x1f9ff}, {0x1fa70, 0x1faff}, {0x20000, 0x3fffd},
};

// General categories Mn, Me and the Hangul medials, where names are likely to hold them.
constexpr Range kNoWidth[] = {
    {0x0300, 0x036f}, {0x0483, 0x0489},   {0x0591, 0x05bd}, {0x0610, 0x061a}, {0x064b, 0x065f},
    {0x0670, 0x0670}, {0x06d6, 0x06dc},   {0x0900, 0x0902}, {0x093c, 0x093c}, {0x0941, 0x0948},
    {0x094d, 0x094d}, {0x0e31, 0x0e31},   {0x0e34, 0x0e3a}, {0x0e47, 0x0e4e}, {0x1160, 0x11ff},
    {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff},   {0x2060, 0x2064}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f},
    {0xfe20, 0xfe2f}, {0xe0000, 0xe01ef},
};

template <std::size_t N>
bool within(const Range (&ranges)[N], std::uint32_t c) {
  const Range* found = std::partition_point(std::begin(ranges), std::end(ranges),
                                            [&](const Range& range) { return range.last < c; });
  return found != std::end(ranges) && found->first <= c;
}

// Bytes of the character at the start of text, and the columns it takes.
std::size_t next(std::string_view text, std::size_t& columns) {
  std::uint32_t c = 0;
  const std::size_t length = utf8_length(text, c);
  columns = 1;
  if (length == 0) return 1;
  if (c >= 0x300) columns = within(kNoWidth, c) ? 0 : within(kWide, c) ? 2 : 1;
  return length;
}

std::string_view ellipsis(bool utf8) {
  return utf8 ? "…" : "...";
}

std::string_view beginning(std::string_view text, std::size_t width) {
  std::size_t at = 0, used = 0;
  while (at < text.size()) {
    std::size_t columns = 0;
    const std::size_t length = next(text.substr(at), columns);
    if (used + columns > width) break;
    at += length, used += columns;
  }
  return text.substr(0, at);
}

std::string_view ending(std::string_view text, std::size_t width) {
  while (display_width(text) > width) {
    std::size_t columns = 0;
    text.remove_prefix(next(text, columns));
  }
  return text;
}

}  // namespace

Surroundings surroundings_of(int fd) {
  Surroundings around;
  around.variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value == nullptr ? "" : value);
  };
  around.is_terminal = ::isatty(fd) == 1;
  winsize size{};
  if (around.is_terminal && ::ioctl(fd, TIOCGWINSZ, &size) == 0) around.columns = size.ws_col;
  return around;
}

bool colour_wanted(ColourChoice choice, const Surroundings& around) {
  if (choice != ColourChoice::automatic) return choice == ColourChoice::always;
  if (!around.variable("NO_COLOR").empty()) return false;  // no-color.org
  const std::string force = around.variable("FORCE_COLOR");
  if (!force.empty()) return force != "0";
  return around.is_terminal && around.variable("TERM") != "dumb";
}

std::size_t columns_of(const Surroundings& around) {
  if (around.is_terminal && around.columns > 0) return around.columns;
  const auto columns = parse_unsigned(around.variable("COLUMNS"));
  if (columns && *columns > 0 && *columns < 100'000) return *columns;
  return around.is_terminal ? 80 : 0;
}

bool locale_is_utf8(const Surroundings& around) {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const std::string value = ascii_lower(around.variable(name));
    if (value.empty()) continue;
    return value.find("utf-8") != std::string::npos || value.find("utf8") != std::string::npos;
  }
  return false;
}

Terminal terminal_of(ColourChoice choice, const Surroundings& around) {
  return {columns_of(around), colour_wanted(choice, around), locale_is_utf8(around)};
}

std::size_t display_width(std::string_view text) {
  if (std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; })) {
    return text.size();  // nearly always
  }
  std::size_t width = 0;
  while (!text.empty()) {
    std::size_t columns = 0;
    text.remove_prefix(next(text, columns));
    width += columns;
  }
  return width;
}

std::string cut_end(std::string_view text, std::size_t width, bool utf8) {
  if (display_width(text) <= width) return std::string(text);
  const std::size_t mark = display_width(ellipsis(utf8));
  if (width <= mark) return std::string(beginning(text, width));
  return std::string(beginning(text, width - mark)) + std::string(ellipsis(utf8));
}

std::string cut_middle(std::string_view text, std::size_t width, bool utf8) {
  if (display_width(text) <= width) return std::string(text);
  const std::size_t mark = display_width(ellipsis(utf8));
  if (width <= mark + 2) return cut_end(text, width, utf8);
  const std::size_t kept = width - mark;
  const std::size_t front = kept / 3;
  return std::string(beginning(text, front)) + std::string(ellipsis(utf8)) +
         std::string(ending(text, kept - front));
}

std::string pad_right(std::string text, std::size_t width) {
  const std::size_t now = display_width(text);
  if (now < width) text.append(width - now, ' ');
  return text;
}

std::string pad_left(std::string text, std::size_t width) {
  const std::size_t now = display_width(text);
  if (now < width) text.insert(0, width - now, ' ');
  return text;
}

std::string wrap(std::string_view text, std::size_t width, std::size_t indent) {
  if (width == 0) return std::string(text);
  std::string out;
  std::size_t used = indent;
  bool first = true;
  for (const std::string_view word : split(text, ' ')) {
    const std::size_t columns = display_width(word);
    if (!first && used + 1 + columns > width) {
      out += '\n' + std::string(indent, ' ');
      used = indent;
    } else if (!first) {
      out += ' ';
      ++used;
    }
    out += word;
    used += columns;
    first = false;
  }
  return out;
}

}  // namespace beaconry
