// An archive that somebody calls an image, and programs in it.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>
#include <string_view>

#include "image/elf.h"
#include "image/tar.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace beaconry;
  const auto require = [](bool holds) {
    if (!holds) std::abort();
  };
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  (void)read_elf(bytes, "fuzz");
  std::string_view rest = bytes;
  constexpr std::uint64_t kUnpacked = 1 << 20;
  TarReader reader(
      [&rest](char* to, std::size_t most) -> Result<std::size_t> {
        const std::size_t part = std::min(most, rest.size());
        std::copy_n(rest.data(), part, to);
        rest.remove_prefix(part);
        return part;
      },
      "fuzz", {1 << 20, kUnpacked, 1000});
  std::set<std::string> paths;
  std::uint64_t total = 0;
  for (;;) {
    const auto entry = reader.next();
    if (!entry || !*entry) return 0;
    const std::string& path = (*entry)->path;
    require(!path.starts_with('/') && !path.ends_with('/'));
    require(("/" + path + "/").find("/../") == std::string::npos);
    require(paths.insert(path).second && paths.size() <= 1000);
    if ((*entry)->kind != TarEntry::Kind::file) continue;
    const auto content = reader.content(kUnpacked);
    if (!content) continue;
    require(content->size() == (*entry)->bytes);
    total += content->size();
    require(total <= kUnpacked);
  }
}
