#include "source/followed_log.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/log.h"
#include "source/rotated_files.h"

namespace beaconry {
namespace {

constexpr std::size_t kTelling = 128;  // shorter beginnings are alike in many logs

}  // namespace

FollowedLog::FollowedLog(std::string path, Duration linger)
    : path_(std::move(path)),
      name_(std::filesystem::path(path_).filename().string()),
      linger_(linger) {}

std::unique_ptr<FollowedFile> FollowedLog::open(const std::string& path) const {
  auto opened = FollowedFile::open(path, name_);
  return opened ? std::move(*opened) : nullptr;
}

bool FollowedLog::is_known(const FollowedFile& file) const {
  // A copy may not have all of its original yet.
  return std::any_of(done_.begin(), done_.end(),
                     [&](const FileHead& head) { return file.begins_like(head); }) ||
         std::any_of(files_.begin(), files_.end(), [&](const auto& known) {
           const FileState state = known->state();
           return file.is_file(known->device(), known->inode()) ||
                  file.begins_like(FileHead{state.head_size, state.head_hash});
         });
}

bool FollowedLog::is_another(const FollowedFile& file, const FileState& state) const {
  return std::any_of(
             files_.begin(), files_.end(),
             [&](const auto& known) { return file.is_file(known->device(), known->inode()); }) ||
         std::any_of(done_.begin(), done_.end(), [&](const FileHead& head) {
           return head.size > state.head_size && file.begins_like(head);
         });
}

void FollowedLog::note_done(const FileState& state) {
  constexpr std::size_t kMostDone = 32;
  if (state.head_size == 0) return;
  done_.push_back({state.head_size, state.head_hash});
  if (done_.size() > kMostDone) done_.pop_front();
}

void FollowedLog::begin(Timestamp now) {
  since_ = std::chrono::nanoseconds{now.time_since_epoch()}.count();
  constexpr std::size_t kMostLooked = 16;
  auto rotated = find_rotated(path_, 0);
  if (rotated.size() > kMostLooked) {
    rotated.erase(rotated.begin(), rotated.end() - static_cast<std::ptrdiff_t>(kMostLooked));
  }
  for (const RotatedFile& one : rotated) {
    if (const auto file = open(one.path)) note_done(file->state());
  }
}

void FollowedLog::keep_rotated(std::unique_ptr<FollowedFile> file, Timestamp retire) {
  file->current = false;
  file->retire = retire;
  files_.push_back(std::move(file));
}

void FollowedLog::add_missed(Timestamp now) {
  struct stat info {};
  const bool there = ::stat(path_.c_str(), &info) == 0;
  for (const RotatedFile& rotated : find_rotated(path_, since_)) {
    if (!rotated.numbered || rotated.modified < since_) continue;
    if (there && rotated.inode == info.st_ino && rotated.device == info.st_dev) continue;
    auto file = open(rotated.path);
    if (file && !is_known(*file)) keep_rotated(std::move(file), now);
  }
}

bool FollowedLog::find_again(const FileState& state, Timestamp now) {
  // The same file wherever it is; else a copy, perhaps compressed; else a copy at the log's place.
  std::unique_ptr<FollowedFile> best;
  auto here = open(path_);
  const bool here_fits = here && here->begins_like(state);
  bool is_here = here_fits && here->inode() == state.inode;
  if (is_here) best = std::move(here);
  if (!best) {
    for (const RotatedFile& rotated : find_rotated(path_, state.modified)) {
      if (best && rotated.inode != state.inode) continue;
      auto file = open(rotated.path);
      // A beginning of few bytes fits many: the place of one that is another is taken.
      if (!file || is_another(*file, state)) continue;
      // Of one that had no content yet only its number can tell.
      const bool empty = state.head_size == 0 && rotated.inode == state.inode;
      if (!empty && !file->begins_like(state)) continue;
      best = std::move(file);
      if (rotated.inode == state.inode) break;
    }
  }
  if (!best && here_fits && state.head_size >= kTelling) {
    best = std::move(here);
    is_here = true;
  }
  if (!best) return false;
  best->go_on(state);
  if (is_here) {
    files_.push_back(std::move(best));
  } else {
    keep_rotated(std::move(best), now);
  }
  return true;
}

void FollowedLog::lost(FollowCounters& counters) const {
  ++counters.files_lost;
  log_warning("what was not read yet of " + path_ +
              " cannot be found: it was rotated and removed, or packed in a way that is not known"
              " (gzip and zstd are)");
}

void FollowedLog::go_on(const StreamState& state, Timestamp now, FollowCounters& counters) {
  since_ = state.since;
  done_.assign(state.done.begin(), state.done.end());
  for (const FileState& file : state.files) {
    if (!find_again(file, now) && file.head_size > 0) lost(counters);
  }
  if (files_.empty() || !files_.back()->current) add_missed(now);
}

void FollowedLog::skip_to_end(Timestamp now, FollowCounters& counters) {
  look(now, counters);
  for (const auto& file : files_) {
    if (const auto done = file->skip_to_end(); !done) log_warning(done.error().message());
  }
}

void FollowedLog::open_current(Timestamp now) {
  auto opened = FollowedFile::open(path_, name_);
  if (!opened) {
    if (!complained_) log_warning(opened.error().message());
    complained_ = true;
    return;
  }
  complained_ = false;
  (*opened)->look(now);
  since_ = (*opened)->modified();
  files_.push_back(std::move(*opened));
}

void FollowedLog::look(Timestamp now, FollowCounters& counters) {
  for (const auto& file : files_) {
    if (!file->current) file->look(now);
  }
  struct stat info {};
  const bool there = ::stat(path_.c_str(), &info) == 0 && S_ISREG(info.st_mode);
  FollowedFile* current = !files_.empty() && files_.back()->current ? files_.back().get() : nullptr;
  if (current == nullptr) {
    add_missed(now);
    if (there) open_current(now);
    return;
  }
  since_ = current->modified();
  const bool was_tiny = current->size() < kTelling;
  const bool in_place = there && current->is_file(info.st_dev, info.st_ino);
  if (!current->look(now)) {
    ++counters.truncations;
    const FileState before = current->state();
    const bool unread = current->unread();
    files_.pop_back();
    // Its bytes are gone from here, but who empties a log copies it before.
    if (before.head_size > 0 && !find_again(before, now) && unread) lost(counters);
  } else if (in_place) {
    // It may have been filled, copied and emptied again meanwhile: its beginning would not tell.
    if (was_tiny) add_before_current(now);
    return;
  } else {
    // Renamed or removed: it stays open, for its writer may write on for a moment.
    current->current = false;
    current->retire = now + linger_;
    ++counters.rotations;
  }
  add_missed(now);
  if (there) open_current(now);
}

void FollowedLog::add_before_current(Timestamp now) {
  auto current = std::move(files_.back());
  files_.pop_back();
  add_missed(now);
  files_.push_back(std::move(current));
}

void FollowedLog::drop(const FollowedFile& file) {
  note_done(file.state());
  std::erase_if(files_, [&](const auto& one) { return one.get() == &file; });
}

StreamState FollowedLog::state() const {
  StreamState state;
  state.path = path_;
  state.since = since_;
  for (const auto& file : files_)
    state.files.push_back(file->state());
  state.done.assign(done_.begin(), done_.end());
  return state;
}

}  // namespace beaconry
