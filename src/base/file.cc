#include "base/file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "base/fd.h"
#include "base/text.h"

namespace beaconry {

Result<std::string> read_small_file(const std::string& path, std::size_t most_bytes) {
  Fd file;
  int descriptor = STDIN_FILENO;
  if (path != "-") {
    auto opened = Fd::open_for_reading(path);
    if (!opened) return tl::unexpected<Error>(std::move(opened.error()));
    file = std::move(*opened);
    descriptor = file.get();
  }
  std::string text;
  char block[16 * 1024];
  for (;;) {
    const ssize_t got = ::read(descriptor, block, sizeof block);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno("read", path);
    if (got == 0) return text;
    text.append(block, static_cast<std::size_t>(got));
    if (text.size() > most_bytes) {
      return fail(ErrorKind::limit, "read", path,
                  "longer than " + bytes_in_words(static_cast<double>(most_bytes)));
    }
  }
}

Result<void> replace_file(const std::string& path, std::string_view content) {
  const std::string fresh = path + ".new";
  {
    const Fd file(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!file) return fail_errno("write", fresh);
    while (!content.empty()) {
      const ssize_t put = ::write(file.get(), content.data(), content.size());
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) return fail_errno("write", fresh);
      content.remove_prefix(static_cast<std::size_t>(put));
    }
    if (::fsync(file.get()) != 0) return fail_errno("write", fresh);
  }
  if (::rename(fresh.c_str(), path.c_str()) != 0) return fail_errno("replace", path);
  const auto slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const Fd directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory || ::fsync(directory.get()) != 0) return fail_errno("replace", path);
  return {};
}

}  // namespace beaconry
