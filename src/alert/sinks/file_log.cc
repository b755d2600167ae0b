#include "alert/sinks/file_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <string>
#include <utility>

namespace beaconry {

Result<void> FileLog::open() {
  const std::filesystem::path folder = std::filesystem::path(options_.path).parent_path();
  std::error_code made;
  if (!folder.empty()) std::filesystem::create_directories(folder, made);
  Fd file(::open(options_.path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640));
  if (!file) return fail_errno("open", options_.path);
  file_ = std::move(file);
  return {};
}

bool FileLog::was_moved() const {
  struct stat ours {
  }, theirs{};
  return ::fstat(file_.get(), &ours) != 0 || ::stat(options_.path.c_str(), &theirs) != 0 ||
         ours.st_ino != theirs.st_ino || ours.st_dev != theirs.st_dev;
}

Result<void> FileLog::rotate() {
  const auto numbered = [&](unsigned number) {
    return number == 0 ? options_.path : options_.path + '.' + std::to_string(number);
  };
  if (options_.backups == 0) {
    if (::unlink(options_.path.c_str()) != 0) return fail_errno("remove", options_.path);
    return open();
  }
  for (unsigned number = options_.backups; number > 0; --number) {
    const std::string from = numbered(number - 1);
    if (::rename(from.c_str(), numbered(number).c_str()) != 0 && errno != ENOENT) {
      return fail_errno("rename", from);
    }
  }
  return open();
}

Result<void> FileLog::deliver(const Alert& alert) {
  if (!file_ || was_moved()) {
    if (auto opened = open(); !opened) return opened;
  }
  const std::string line = to_json(alert) + '\n';
  struct stat now {};
  if (::fstat(file_.get(), &now) != 0) return fail_errno("read", options_.path);
  const auto size = static_cast<std::uint64_t>(now.st_size);
  if (size > 0 && size + line.size() > options_.max_bytes) {
    if (auto rotated = rotate(); !rotated) return rotated;
    now.st_size = 0;
  }
  const ssize_t written = ::write(file_.get(), line.data(), line.size());
  if (written == static_cast<ssize_t>(line.size()) && ::fdatasync(file_.get()) == 0) return {};
  auto failed = written >= 0 && written < static_cast<ssize_t>(line.size())
                    ? fail(ErrorKind::limit, "write", options_.path, "no space left on the device")
                    : fail_errno("write", options_.path);
  // The try that follows must find whole lines only.
  if (::ftruncate(file_.get(), now.st_size) != 0) file_.reset();
  return failed;
}

}  // namespace beaconry
