#include "sensor/confirm.h"

#include <unistd.h>

#include <cstdio>
#include <iostream>

namespace beaconry {

Result<bool> is_meant(const std::string& question, const std::string& why, bool yes) {
  if (yes) return true;
  if (::isatty(STDIN_FILENO) == 0) return fail(ErrorKind::usage, "", "", why + "; say --yes");
  std::fprintf(stderr, "%s [y/N] ", question.c_str());
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

}  // namespace beaconry
