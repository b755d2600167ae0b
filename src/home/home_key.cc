#include "home/home_key.h"

#include <sys/stat.h>

#include "base/file.h"
#include "base/text.h"

namespace beaconry {

Result<PartyKeys> open_home_key(const std::string& folder) {
  const std::string path = folder + "/home.key";
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    const Key32 seed = PartyKeys::make_seed();
    if (auto done = replace_file(path, to_hex(seed) + '\n'); !done) {
      return tl::unexpected<Error>(std::move(done.error()));
    }
    return PartyKeys(seed);
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
