#include "uplink/refused_batches.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <utility>
#include <vector>

#include "spool/disk.h"

namespace beaconry {
namespace {

constexpr std::string_view kSuffix = ".batch";

struct Kept {
  std::filesystem::file_time_type time;
  std::string path;
  std::uint64_t bytes = 0;
};

std::vector<Kept> kept_in(const std::string& folder, const std::vector<std::string>& names) {
  std::vector<Kept> all;
  for (const std::string& name : names) {
    if (!name.ends_with(kSuffix)) continue;
    Kept kept;
    kept.path = folder + "/" + name;
    std::error_code ignored;
    kept.bytes = std::filesystem::file_size(kept.path, ignored);
    if (ignored) continue;
    kept.time = std::filesystem::last_write_time(kept.path, ignored);
    all.push_back(std::move(kept));
  }
  std::sort(all.begin(), all.end(), [](const Kept& a, const Kept& b) {
    return std::tie(a.time, a.path) < std::tie(b.time, b.path);
  });
  return all;
}

}  // namespace

Result<void> RefusedBatches::add(std::string_view incarnation, std::uint64_t sequence,
                                 std::string_view content) {
  if (folder_.empty()) return {};
  if (content.size() > most_bytes_) {
    return fail(ErrorKind::limit, "keep a batch in", folder_, "it is longer than all may be");
  }
  const auto made = make_folder(folder_);
  if (!made) return made;
  const auto names = file_names(folder_);
  if (!names) return tl::unexpected<Error>(names.error());
  const auto all = kept_in(folder_, *names);
  std::uint64_t bytes = content.size();
  for (const Kept& kept : all)
    bytes += kept.bytes;
  for (auto oldest = all.begin(); bytes > most_bytes_ && oldest != all.end(); ++oldest) {
    ::unlink(oldest->path.c_str());
    bytes -= oldest->bytes;
  }
  const std::string digits = std::to_string(sequence);
  const std::string path = folder_ + "/" + std::string(incarnation) + "-" +
                           std::string(20 - digits.size(), '0') + digits + std::string(kSuffix);
  const auto file = open_file(path, O_WRONLY | O_CREAT | O_TRUNC);
  if (!file) return tl::unexpected<Error>(file.error());
  const auto done = write_at(*file, path, 0, content);
  if (!done) ::unlink(path.c_str());
  return done;
}

}  // namespace beaconry
