#include "hunt/output/golden_test.h"

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace beaconry {

std::string differs_from_golden(std::string_view name, const std::string& text) {
  const std::string path = BEACONRY_SOURCE_DIR "/src/hunt/output/golden/" + std::string(name);
  if (std::getenv("BEACONRY_WRITE_GOLDEN") != nullptr) {
    std::ofstream(path, std::ios::binary) << text;
    return "written: " + path;
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) return "missing: " + path;
  std::istringstream mine(text);
  std::string expected, got;
  for (int line = 1;; ++line) {
    const bool more = static_cast<bool>(std::getline(file, expected));
    const bool mine_more = static_cast<bool>(std::getline(mine, got));
    if (!more && !mine_more) return {};
    if (!more) expected = "(nothing)";
    if (!mine_more) got = "(nothing)";
    if (expected != got) {
      return path + " line " + std::to_string(line) + "\n  golden: " + expected +
             "\n  now:    " + got;
    }
  }
}

}  // namespace beaconry
