#include "spool/disk.h"

#include <dirent.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include <cerrno>
#include <filesystem>
#include <memory>

namespace beaconry {
namespace {

tl::unexpected<Error> fail_disk(std::string operation, const std::string& path) {
  const bool is_full = errno == ENOSPC || errno == EDQUOT || errno == EFBIG;
  auto error = fail_errno(std::move(operation), path);
  if (is_full) error.value().kind = ErrorKind::limit;
  return error;
}

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

}  // namespace

Result<Fd> open_file(const std::string& path, int flags) {
  Fd file(::open(path.c_str(), flags | O_CLOEXEC, 0600));
  if (!file) return fail_disk((flags & O_CREAT) != 0 ? "create" : "open", path);
  return file;
}

Result<void> make_folder(const std::string& path) {
  const auto parent = std::filesystem::path(path).parent_path();
  std::error_code error;
  if (!parent.empty() && !std::filesystem::exists(parent, error)) {
    const auto made = make_folder(parent.string());
    if (!made) return made;
  }
  if (::mkdir(path.c_str(), 0700) == 0) {
    return sync_folder(parent.empty() ? "." : parent.string());
  }
  if (errno != EEXIST) return fail_disk("make folder", path);
  return {};
}

Result<std::vector<std::string>> file_names(const std::string& folder) {
  const std::unique_ptr<DIR, CloseFolder> open(::opendir(folder.c_str()));
  if (!open) return fail_disk("open folder", folder);
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(open.get());
    if (entry == nullptr) break;
    names.emplace_back(entry->d_name);
  }
  if (errno != 0) return fail_disk("read folder", folder);
  return names;
}

Result<void> write_at(const Fd& file, const std::string& path, std::uint64_t offset,
                      std::string_view first, std::string_view second) {
  while (!first.empty() || !second.empty()) {
    const iovec pieces[] = {{const_cast<char*>(first.data()), first.size()},
                            {const_cast<char*>(second.data()), second.size()}};
    const ssize_t wrote = ::pwritev(file.get(), pieces, 2, static_cast<off_t>(offset));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return fail_disk("write", path);
    const auto count = static_cast<std::size_t>(wrote);
    offset += count;
    const std::size_t of_first = std::min(count, first.size());
    first.remove_prefix(of_first);
    second.remove_prefix(count - of_first);
  }
  return {};
}

Result<std::string> read_at(const Fd& file, const std::string& path, std::uint64_t offset,
                            std::uint64_t size) {
  std::string bytes(static_cast<std::size_t>(size), '\0');
  std::size_t got = 0;
  while (got < bytes.size()) {
    const ssize_t count = ::pread(file.get(), bytes.data() + got, bytes.size() - got,
                                  static_cast<off_t>(offset + got));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail_disk("read", path);
    if (count == 0) break;
    got += static_cast<std::size_t>(count);
  }
  bytes.resize(got);
  return bytes;
}

Result<std::uint64_t> file_size(const Fd& file, const std::string& path) {
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return fail_disk("look at", path);
  return static_cast<std::uint64_t>(status.st_size);
}

Result<void> sync_file(const Fd& file, const std::string& path) {
  if (::fdatasync(file.get()) != 0) return fail_disk("sync", path);
  return {};
}

Result<void> sync_folder(const std::string& path) {
  const auto folder = open_file(path, O_RDONLY | O_DIRECTORY);
  if (!folder) return tl::unexpected<Error>(folder.error());
  if (::fsync(folder->get()) != 0) return fail_disk("sync", path);
  return {};
}

}  // namespace beaconry
