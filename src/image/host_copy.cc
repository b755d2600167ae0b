#include "image/host_copy.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <set>
#include <vector>

#include "base/file.h"
#include "base/text.h"
#include "image/elf.h"
#include "image/host_files.h"

namespace beaconry {
namespace {

constexpr std::uint64_t kLongestFile = 512 << 20;
constexpr int kMostLinks = 40, kDeepestFolder = 64;

Result<struct stat> look(const std::string& path, bool follow) {
  struct stat status {};
  if ((follow ? ::stat(path.c_str(), &status) : ::lstat(path.c_str(), &status)) != 0)
    return fail_errno("pack", path);
  return status;
}

Result<std::string> link_target(const std::string& path) {
  std::error_code error;
  const auto target = std::filesystem::read_symlink(path, error);
  if (error) return fail(ErrorKind::io, "pack", path, error.message());
  return target.string();
}

Result<void> copy_file(RootTree& tree, const std::string& host, const std::string& path,
                       const struct stat& status) {
  auto content = read_small_file(host, kLongestFile);
  if (!content) return tl::unexpected<Error>(std::move(content.error()));
  return tree.add_file(path, std::move(*content), (status.st_mode & 0111) != 0 ? 0755 : 0644, host);
}

Result<void> copy(RootTree& tree, const std::string& host, const std::string& path, bool follow,
                  int depth) {
  const auto status = look(host, follow);
  if (!status) return tl::unexpected<Error>(status.error());
  if (S_ISREG(status->st_mode)) return copy_file(tree, host, path, *status);
  if (S_ISLNK(status->st_mode)) {
    auto target = link_target(host);
    if (!target) return tl::unexpected<Error>(std::move(target.error()));
    return tree.add_link(path, std::move(*target));
  }
  if (!S_ISDIR(status->st_mode))
    return fail(ErrorKind::unsupported, "pack", host, "it is neither file, folder nor link");
  if (depth == 0) return fail(ErrorKind::limit, "pack", host, "folders are nested too deep");
  if (auto added = tree.add_folder(path); !added) return added;
  std::error_code error;
  std::vector<std::string> names;
  std::filesystem::directory_iterator at(host, error);
  for (; !error && at != std::filesystem::directory_iterator(); at.increment(error))
    names.push_back(at->path().filename().string());
  if (error) return fail(ErrorKind::io, "pack", host, error.message());
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) {
    if (name == "__pycache__") continue;
    auto copied = copy(tree, host + '/' + name, path + '/' + name, false, depth - 1);
    if (!copied) return copied;
  }
  return {};
}

// Where glibc's loader looks without being told.
bool is_searched(const std::string& library) {
  const std::string folder = library.substr(0, library.rfind('/'));
  for (const std::string prefix : {"", "/usr"}) {
    for (const char* each : {"/lib", "/lib64", "/lib/x86_64-linux-gnu", "/lib/aarch64-linux-gnu"}) {
      if (folder == prefix + each) return true;
    }
  }
  return false;
}

Result<void> add_library(RootTree& tree, const std::string& library) {
  const RootTree::Entry* there = tree.find(library);
  if (there == nullptr || there->content == nullptr) {
    const auto status = look(library, true);
    if (!status) return tl::unexpected<Error>(status.error());
    if (auto copied = copy_file(tree, library, library, *status); !copied) return copied;
  }
  if (is_searched(library)) return {};
  // By its own path it is found where the program names the folder; here by everybody.
  const std::string shared = "lib" + library.substr(library.rfind('/'));
  return tree.find(shared) != nullptr ? Result<void>() : tree.add_link(shared, library);
}

}  // namespace

Result<void> copy_from_host(RootTree& tree, const std::string& host, const std::string& path) {
  return copy(tree, host, path, true, kDeepestFolder);
}

Result<void> copy_same_path(RootTree& tree, const std::string& given) {
  std::string path = given;
  for (int links = 0; links < kMostLinks; ++links) {
    const auto status = look(path, false);
    if (!status) return tl::unexpected<Error>(status.error());
    if (S_ISDIR(status->st_mode)) return {};  // made with what is in it
    if (S_ISREG(status->st_mode)) return copy_file(tree, path, path, *status);
    if (!S_ISLNK(status->st_mode))
      return fail(ErrorKind::unsupported, "pack", path, "it is neither file, folder nor link");
    const auto target = link_target(path);
    if (!target) return tl::unexpected<Error>(target.error());
    if (auto added = tree.add_link(path, *target); !added) return added;
    const std::filesystem::path from(path);
    path = (from.parent_path() / *target).lexically_normal().string();
  }
  return fail(ErrorKind::malformed, "pack", given, "links lead in a circle");
}

Result<void> add_libraries(RootTree& tree, const RootTree& base, bool base_is_given) {
  std::set<std::string> needed;
  for (const auto& [path, entry] : tree.entries()) {
    if (entry.content == nullptr || entry.origin.empty()) continue;
    const auto elf = read_elf(*entry.content, entry.origin);
    if (!elf) return tl::unexpected<Error>(elf.error());
    if (!elf->needs_libraries) continue;
    if (!elf->interpreter.empty() && base.find(elf->interpreter) != nullptr) continue;
    const auto libraries = needed_libraries(entry.origin, *elf);
    // A library for musl that goes beside the base's.
    if (!libraries && base_is_given && elf->interpreter.empty()) continue;
    if (!libraries) return tl::unexpected<Error>(libraries.error());
    needed.insert(libraries->begin(), libraries->end());
  }
  for (const std::string& library : needed) {
    if (auto added = add_library(tree, library); !added) return added;
  }
  return {};
}

}  // namespace beaconry
