#pragma once
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace beaconry {

// What the place that text goes to can show.
struct Terminal {
  std::size_t width = 0;  // columns; 0: as wide as it likes
  bool colour = false;
  bool utf8 = true;
};

// --color, --no-color, or neither.
enum class ColourChoice { automatic, always, never };

// Where a program was started, handed in so that tests can make one up.
struct Surroundings {
  std::function<std::string(const char*)> variable;  // empty where unset
  bool is_terminal = false;
  std::size_t columns = 0;  // as the terminal driver says; 0 where unknown
};

// This process' surroundings, for output to descriptor `fd`.
Surroundings surroundings_of(int fd);

// The option decides; then NO_COLOR (any text but none: no), FORCE_COLOR ("0": no, else yes),
// TERM=dumb (no), and whether it is a terminal.
bool colour_wanted(ColourChoice choice, const Surroundings& around);

// On a terminal: what its driver says, else COLUMNS, else 80. Elsewhere COLUMNS, else no limit.
std::size_t columns_of(const Surroundings& around);

// LC_ALL, LC_CTYPE, LANG, the first that is set, names UTF-8.
bool locale_is_utf8(const Surroundings& around);

Terminal terminal_of(ColourChoice choice, const Surroundings& around);

// Columns that text takes: 2 for East Asian wide characters and emoji, 0 for combining ones. The
// text went through terminal_safe().
std::size_t display_width(std::string_view text);

// The beginning of the text that fits, with "…" (or "...") for what was cut off.
std::string cut_end(std::string_view text, std::size_t width, bool utf8);
// Beginning and end: of a host name the end says whose it is.
std::string cut_middle(std::string_view text, std::size_t width, bool utf8);

std::string pad_right(std::string text, std::size_t width);
std::string pad_left(std::string text, std::size_t width);

// Breaks at blanks; every line but the first begins with `indent` blanks, which `width` includes.
std::string wrap(std::string_view text, std::size_t width, std::size_t indent);

}  // namespace beaconry
