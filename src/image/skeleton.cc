#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "base/fd.h"
#include "base/text.h"
#include "image/image.h"
#include "image/skeleton_files.h"

namespace beaconry {
namespace {

std::string filled(const char* text, const std::string& name) {
  std::string result = text;
  constexpr std::string_view kMark = "NAME";
  for (auto at = result.find(kMark); at != std::string::npos; at = result.find(kMark, at))
    result.replace(at, kMark.size(), name);
  return result;
}

Result<void> write_file(const std::string& path, unsigned mode, const std::string& text) {
  const Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (!file) return fail_errno("make", path);
  if (::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    return fail_errno("write", path);
  return {};
}

}  // namespace

Result<void> write_skeleton(const std::string& name, const std::string& language,
                            const std::string& folder) {
  // The manifest knows what a name is.
  if (name.size() > 64 || name.find_first_of("\n\"'#{}[]:,&*!|>%@`\\") != std::string::npos ||
      !Manifest::parse("name: " + name + "\nversion: 1\n", "the name")) {
    return fail(ErrorKind::usage, "call an instrument", terminal_safe(name),
                "a name is a lower-case letter, then lower-case letters, digits and hyphens, 24 "
                "at most");
  }
  if (language != "c++" && language != "python")
    return fail(ErrorKind::usage, "use language", terminal_safe(language), "c++ or python");
  if (::mkdir(folder.c_str(), 0777) != 0) return fail_errno("make", folder);
  for (const SkeletonFile& file : language == "python" ? python_skeleton() : cpp_skeleton()) {
    auto written = write_file(folder + '/' + file.path, file.mode, filled(file.text, name));
    if (!written) return written;
  }
  return {};
}

}  // namespace beaconry
