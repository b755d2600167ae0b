#include "sensor/services/resource_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>

#include "base/fd.h"
#include "sensor/services/run_folders.h"
#include "spool/disk.h"

namespace beaconry {
namespace {

constexpr std::size_t kBlock = 1 << 18;

Result<void> copy_durably(const std::string& from, const std::string& to, unsigned mode) {
  auto source = Fd::open_for_reading(from);
  if (!source) return tl::unexpected<Error>(source.error());
  auto target = open_file(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC);
  if (!target) return tl::unexpected<Error>(target.error());
  std::uint64_t at = 0;
  for (;;) {
    const auto block = read_at(*source, from, at, kBlock);
    if (!block) return tl::unexpected<Error>(block.error());
    if (block->empty()) break;
    if (auto written = write_at(*target, to, at, *block); !written) return written;
    at += block->size();
  }
  if (::fchmod(target->get(), static_cast<mode_t>(mode)) != 0) return fail_errno("chmod", to);
  return sync_file(*target, to);
}

}  // namespace

Result<void> ResourceStore::open() const {
  for (const std::string& path : {folder_, folder_ + "/.store"}) {
    const auto made = make_folder_with_mode(path, 0755);
    if (!made) return made;
  }
  return {};
}

Result<void> ResourceStore::put(const std::string& file, const std::string& sha256,
                                bool executable) const {
  const std::string path = folder_ + "/.store/" + version(sha256, executable);
  struct stat there {};
  if (::stat(path.c_str(), &there) == 0) return {};
  const std::string part = path + ".part";
  auto done = copy_durably(file, part, executable ? 0755 : 0644);
  if (done && std::rename(part.c_str(), path.c_str()) != 0) done = fail_errno("rename", part);
  if (!done) {
    ::unlink(part.c_str());
    return done;
  }
  return sync_folder(folder_ + "/.store");
}

Result<void> ResourceStore::point(const std::string& name, const std::string& sha256,
                                  bool executable) const {
  const std::string path = folder_ + "/" + name;
  if (sha256.empty()) {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return fail_errno("remove", path);
    return sync_folder(folder_);
  }
  const std::string target = ".store/" + version(sha256, executable);
  const std::string next = folder_ + "/.next";
  ::unlink(next.c_str());
  if (::symlink(target.c_str(), next.c_str()) != 0) return fail_errno("link", next);
  if (std::rename(next.c_str(), path.c_str()) != 0) return fail_errno("rename", next);
  return sync_folder(folder_);
}

void ResourceStore::keep_only(const std::set<std::string>& versions,
                              const std::set<std::string>& names) const {
  const auto clean = [](const std::string& folder, const std::set<std::string>& kept) {
    const auto there = file_names(folder);
    if (!there) return;
    for (const std::string& name : *there) {
      if (name != ".store" && kept.count(name) == 0) ::unlink((folder + "/" + name).c_str());
    }
  };
  clean(folder_ + "/.store", versions);
  clean(folder_, names);
}

std::uint64_t ResourceStore::bytes() const {
  std::uint64_t sum = 0;
  const auto there = file_names(folder_ + "/.store");
  if (!there) return 0;
  for (const std::string& name : *there) {
    struct stat of {};
    if (::stat((folder_ + "/.store/" + name).c_str(), &of) == 0) {
      sum += static_cast<std::uint64_t>(of.st_size);
    }
  }
  return sum;
}

void ResourceStore::remove() const {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

}  // namespace beaconry
