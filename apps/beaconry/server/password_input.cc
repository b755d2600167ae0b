#include "server/password_input.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>

#include "base/file.h"
#include "base/text.h"
#include "base/typed_line.h"

namespace beaconry {
namespace {

constexpr std::size_t kLongestFile = 4096;

}  // namespace

Result<std::string> read_password(const std::string& file) {
  if (file.empty() && ::isatty(STDIN_FILENO) == 1) return typed_password(stderr);
  const auto text = read_small_file(file.empty() ? "-" : file, kLongestFile);
  if (!text) return tl::unexpected<Error>(text.error());
  std::string password = text->substr(0, text->find_first_of("\r\n"));
  if (password.empty()) {
    return fail(ErrorKind::usage, "read", file.empty() ? "standard input" : file,
                "the password stands in its first line, which is empty");
  }
  struct stat status {};
  if (!file.empty() && file != "-" && ::stat(file.c_str(), &status) == 0 &&
      (status.st_mode & (S_IRGRP | S_IROTH)) != 0) {
    std::fprintf(stderr, "beaconry: others can read %s; chmod 600 it\n",
                 terminal_safe(file).c_str());
  }
  return password;
}

}  // namespace beaconry
