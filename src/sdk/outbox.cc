#include "sdk/outbox.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"

namespace beaconry::sdk {
namespace {

// Lines: "+" and an event as JSON, or "-" and the UUID of one that is done with.
constexpr const char* kName = "/.outbox";
constexpr std::size_t kMostFileBytes = 64 << 20;
constexpr std::size_t kMostSpare = 256 << 10;  // done with and still in the file

}  // namespace

Outbox Outbox::open(const std::vector<std::string>& folders) {
  Outbox outbox;
  for (const std::string& folder : folders) {
    struct stat status {};
    if (::stat(folder.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) continue;
    if (outbox.open_file(folder)) return outbox;
  }
  return outbox;
}

bool Outbox::open_file(const std::string& folder) {
  const std::string path = folder + kName;
  Fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) return false;
  const auto content = read_small_file(path, kMostFileBytes);
  if (!content) {
    log_warning("outbox: " + content.error().message());
    return false;
  }
  // The name too must survive.
  const Fd directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory || ::fsync(directory.get()) != 0) return false;
  path_ = path;
  file_ = std::move(file);
  read(*content);
  compact();
  if (spoilt_ > 0) {
    log_warning("outbox: " + std::to_string(spoilt_) + " lines of " + path_ +
                " were no events; they are dropped");
  }
  return true;
}

void Outbox::read(std::string_view content) {
  const std::size_t whole = content.size();
  while (!content.empty()) {
    const std::size_t end = content.find('\n');
    if (end == std::string_view::npos) {
      // It was never promised to anybody, and would spoil what is appended.
      torn_ = ::ftruncate(file_.get(), static_cast<off_t>(whole - content.size())) != 0;
      return;
    }
    const std::string_view line = content.substr(0, end);
    content.remove_prefix(end + 1);
    if (line.empty()) continue;
    if (line.starts_with('-')) {
      remove(line.substr(1));
      continue;
    }
    auto event = line.starts_with('+') ? decode_event(line.substr(1))
                                       : Result<Event>(tl::unexpected<Error>(Error{}));
    if (!event) {
      ++spoilt_;
    } else if (!by_uuid_.contains(event->uuid)) {
      take(event->uuid, std::string(line.substr(1)));
    }
  }
}

void Outbox::take(std::string uuid, std::string json) {
  bytes_ += json.size();
  by_uuid_[uuid] = ++last_;
  events_[last_] = {std::move(uuid), std::move(json)};
}

Result<void> Outbox::put(const Event& event) {
  std::string json = encode(event);
  auto put = [&]() -> Result<void> {
    if (auto good = decode_event(json); !good) {
      return tl::unexpected<Error>(std::move(good.error()));
    }
    if (events_.size() >= kMostEvents || bytes_ + json.size() > kMostBytes) {
      return fail(ErrorKind::limit, "keep", "an event",
                  with_thousands(events_.size()) + " wait for the platform already");
    }
    return append("+" + json + "\n");
  }();
  if (!put) {
    ++refused_;
    return put;
  }
  take(event.uuid, std::move(json));
  ++unsynced_;
  return {};
}

Result<void> Outbox::sync() {
  if (unsynced_ == 0) return {};
  unsynced_ = 0;
  if (file_ && ::fdatasync(file_.get()) != 0) return fail_errno("write", path_);
  return {};
}

bool Outbox::remove(std::string_view uuid) {
  const auto found = by_uuid_.find(std::string(uuid));
  if (found == by_uuid_.end()) return false;
  const auto event = events_.find(found->second);
  bytes_ -= event->second.json.size();
  if (event->first < next_) --on_the_way_;
  events_.erase(event);
  by_uuid_.erase(found);
  if (!file_) return true;
  // Not durable: what comes back after a power cut is said again, and the platform knows its UUID.
  const auto done = append("-" + std::string(uuid) + "\n");
  if (!done && !is_full_) log_warning("outbox: " + done.error().message());
  is_full_ = !done;
  if (file_bytes_ > 2 * bytes_ + kMostSpare) compact();
  return true;
}

const std::string* Outbox::next() const {
  if (on_the_way_ >= kWindow) return nullptr;
  const auto event = events_.lower_bound(next_);
  return event == events_.end() ? nullptr : &event->second.json;
}

void Outbox::said() {
  const auto event = events_.lower_bound(next_);
  if (event == events_.end()) return;
  next_ = event->first + 1;
  ++on_the_way_;
}

void Outbox::rewind() {
  next_ = 1;
  on_the_way_ = 0;
}

Result<void> Outbox::append(std::string line) {
  if (!file_) return {};
  if (torn_) line.insert(line.begin(), '\n');
  for (std::string_view left = line; !left.empty();) {
    const ssize_t put = ::write(file_.get(), left.data(), left.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return take_back(fail_errno("write", path_));
    left.remove_prefix(static_cast<std::size_t>(put));
  }
  torn_ = false;
  file_bytes_ += line.size();
  return {};
}

Result<void> Outbox::take_back(tl::unexpected<Error> error) {
  if (::ftruncate(file_.get(), static_cast<off_t>(file_bytes_)) != 0) torn_ = true;
  return error;
}

// The file anew with what waits alone. Where that fails the old one goes on.
void Outbox::compact() {
  if (!file_) return;
  std::string content;
  for (const auto& event : events_)
    content += "+" + event.second.json + "\n";
  const auto replaced = replace_file(path_, content);
  Fd file;
  if (replaced) file = Fd(::open(path_.c_str(), O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW));
  if (file) {
    file_ = std::move(file);
    file_bytes_ = content.size();
    torn_ = false;
    return;
  }
  log_warning("outbox: " + (replaced ? "cannot open " + path_ : replaced.error().message()));
  struct stat status {};
  if (::fstat(file_.get(), &status) == 0) file_bytes_ = static_cast<std::size_t>(status.st_size);
}

}  // namespace beaconry::sdk
