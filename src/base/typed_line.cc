#include "base/typed_line.h"

#include <termios.h>
#include <unistd.h>

#include <iostream>

namespace beaconry {

std::optional<std::string> typed_line(const char* words, bool hidden, std::FILE* out) {
  std::fputs(words, out);
  std::fflush(out);
  termios before{};
  const bool quiet = hidden && ::tcgetattr(STDIN_FILENO, &before) == 0;
  if (quiet) {
    termios silent = before;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
  }
  std::string line;
  const bool got = static_cast<bool>(std::getline(std::cin, line));
  if (quiet) {
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    std::fputs("\n", out);
  }
  return got ? std::optional(line) : std::nullopt;
}

Result<std::string> typed_password(std::FILE* out) {
  const auto once = typed_line("Password, at least 10 characters: ", true, out);
  const auto again = typed_line("Once more: ", true, out);
  if (!once || once != again) {
    return fail(ErrorKind::usage, "read", "the password", "it was not typed the same twice");
  }
  return *once;
}

}  // namespace beaconry
