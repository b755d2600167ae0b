#include "home/home_key.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/file.h"
#include "base/text.h"

namespace beaconry {
namespace {

// Takes no other's place: whoever comes second uses the first one's.
Result<void> make_seed(const std::string& path) {
  const std::string made = path + ".new";
  if (auto done = replace_file(made, to_hex(PartyKeys::make_seed()) + '\n'); !done) return done;
  const bool linked = ::link(made.c_str(), path.c_str()) == 0;
  const int why = errno;
  ::unlink(made.c_str());
  if (linked || why == EEXIST) return {};
  errno = why;
  return fail_errno("make", path);
}

}  // namespace

Result<PartyKeys> open_home_key(const std::string& folder) {
  const std::string path = folder + "/home.key";
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    // Whatever else keeps us from it, the old key may be there, and every probe goes by it.
    if (errno != ENOENT) return fail_errno("look at", path);
    if (auto done = make_seed(path); !done) return tl::unexpected<Error>(std::move(done.error()));
    if (::stat(path.c_str(), &status) != 0) return fail_errno("look at", path);
  }
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return fail(ErrorKind::usage, "use", path,
                "others may read it: chmod 0600, or remove it to get a new one (then every probe "
                "needs a new line: beaconry probes rotate)");
  }
  const auto text = read_small_file(path, 256);
  if (!text) return tl::unexpected<Error>(text.error());
  const auto seed = parse_key(trim(*text));
  if (!seed) {
    return fail(ErrorKind::malformed, "read", path,
                "it is not 64 hex digits: " + seed.error().cause);
  }
  return PartyKeys(*seed);
}

}  // namespace beaconry
