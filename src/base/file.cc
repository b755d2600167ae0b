#include "base/file.h"

#include <unistd.h>

#include <cerrno>

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

}  // namespace beaconry
