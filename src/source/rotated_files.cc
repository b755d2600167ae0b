#include "source/rotated_files.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <tuple>

namespace beaconry {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMost = 4096;
constexpr std::int64_t kSlack = 2'000'000'000;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// "2026-11-21", "20261121"
bool is_date(std::string_view name) {
  const auto digits = std::count_if(name.begin(), name.end(), is_digit);
  return digits == 8 && (name.size() == 8 || (name.size() == 10 && name[4] == '-'));
}

void look_in(const fs::path& folder, std::string_view name, std::string_view stem,
             std::int64_t since, std::vector<RotatedFile>& found) {
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string other = entry->path().filename().string();
    if (other == name || !other.starts_with(stem) || found.size() >= kMost) continue;
    std::string_view rest = other;
    rest.remove_prefix(other.starts_with(name) ? name.size() : stem.size());
    if (rest.size() < 2 || (rest[0] != '.' && rest[0] != '-')) continue;
    struct stat info {};
    if (::stat(entry->path().c_str(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
    const std::int64_t modified =
        std::int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec;
    if (modified < since - kSlack) continue;
    found.push_back(
        {entry->path().string(), info.st_dev, info.st_ino, modified, is_digit(rest[1])});
  }
}

}  // namespace

std::vector<RotatedFile> find_rotated(const std::string& log, std::int64_t since) {
  const fs::path path(log);
  const std::string name = path.filename().string(), stem = path.stem().string();
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  std::vector<RotatedFile> found;
  look_in(folder, name, stem, since, found);

  // .../logs/current/conn.log becomes .../logs/2026-11-21/conn.....log.gz; `current` is often a
  // link to somewhere else.
  std::error_code error;
  const fs::path beside = fs::absolute(folder, error).lexically_normal().parent_path();
  for (fs::directory_iterator entry(beside, error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code ignored;
    if (is_date(entry->path().filename().string()) && entry->is_directory(ignored)) {
      look_in(entry->path(), name, stem, since, found);
    }
  }
  std::sort(found.begin(), found.end(), [](const RotatedFile& a, const RotatedFile& b) {
    return std::tie(a.modified, a.path) < std::tie(b.modified, b.path);
  });
  return found;
}

}  // namespace beaconry
