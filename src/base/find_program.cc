#include "base/find_program.h"

#include <unistd.h>

#include <cstdlib>
#include <string_view>

#include "base/text.h"

namespace beaconry {

std::string find_program(const std::string& name) {
  const auto runs = [](const std::string& file) { return ::access(file.c_str(), X_OK) == 0; };
  if (name.find('/') != std::string::npos) return runs(name) ? name : "";
  const char* path = std::getenv("PATH");
  const std::string folders =
      (path == nullptr ? "" : std::string(path) + ":") + kUsualPath + ":/opt/incus/bin";
  for (const std::string_view folder : split(folders, ':')) {
    if (!folder.starts_with('/')) continue;
    std::string file = std::string(folder) + "/" + name;
    if (runs(file)) return file;
  }
  return {};
}

}  // namespace beaconry
