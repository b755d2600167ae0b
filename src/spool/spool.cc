#include "spool/spool.h"

#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/text.h"
#include "spool/disk.h"
#include "spool/segment_file.h"
#include "spool/spool_state.h"

namespace beaconry {
namespace {

constexpr std::size_t kMostOpenSegments = 4;  // of those that are read

std::string in_words(std::uint64_t bytes) {
  return bytes_in_words(static_cast<double>(bytes));
}

tl::unexpected<Error> pass_on(Error error) {
  return tl::unexpected<Error>(std::move(error));
}

class DiskSpool final : public Spool {
 public:
  DiskSpool(Options options, Fd lock, SpoolState state)
      : options_(std::move(options)), lock_(std::move(lock)), state_(std::move(state)) {
    // Dropping the oldest should cost a part of what is there, not all.
    options_.segment_bytes = std::min(options_.segment_bytes, options_.most_bytes / 4);
    for (const std::uint8_t byte : state_.incarnation()) {
      constexpr std::string_view kHex = "0123456789abcdef";
      incarnation_ += {kHex[byte >> 4], kHex[byte & 15]};
    }
    first_ = state_.values().released + 1;
    dropped_ = state_.values().dropped;
  }

  // `firsts`: the segments that are there, in order.
  Result<void> recover(const std::vector<std::uint64_t>& firsts);

  Result<std::uint64_t> append(std::string_view record, Timestamp now) override;
  Result<void> sync(std::uint64_t sequence) override;
  Result<std::optional<Record>> read(std::uint64_t sequence) override;
  void release(std::uint64_t sequence) override;
  void release_before(Timestamp time) override;

  std::uint64_t first() const override { return locked(first_); }
  std::uint64_t next() const override { return locked(next_); }
  std::uint64_t bytes() const override { return locked(bytes_); }
  std::uint64_t dropped() const override { return locked(dropped_); }
  std::uint64_t damaged() const override { return locked(damaged_); }
  const std::string& incarnation() const override { return incarnation_; }

 private:
  struct Sealed {
    std::uint64_t first = 0;
    std::uint64_t bytes = 0;
    bool is_known = false;  // its damage was counted
  };

  // All that follows: with the lock held.
  std::uint64_t locked(const std::uint64_t& value) const {
    const std::lock_guard lock(mutex_);
    return value;
  }
  std::uint64_t end_of(std::size_t sealed) const {
    return sealed + 1 < sealed_.size() ? sealed_[sealed + 1].first : active_->first;
  }
  bool has_room(std::uint64_t bytes) const { return bytes_ + bytes <= options_.most_bytes; }
  Result<void> begin_segment();
  Result<void> make_room(std::uint64_t bytes);
  void remove_oldest();
  void save_state();
  void count_damage(const SegmentFile& segment, std::uint64_t end);
  Result<std::shared_ptr<SegmentFile>> segment_of(std::uint64_t sequence, std::uint64_t& end);
  void keep_open(std::shared_ptr<SegmentFile> segment);

  Options options_;
  const Fd lock_;
  std::string incarnation_;

  mutable std::mutex mutex_;
  std::condition_variable synced_more_;
  SpoolState state_;
  std::deque<Sealed> sealed_;  // by rising numbers, all before the active one, all on disk
  std::shared_ptr<SegmentFile> active_;
  std::vector<std::shared_ptr<SegmentFile>> open_;  // sealed ones, the last used at the end
  std::uint64_t first_ = 1, next_ = 1, bytes_ = 0, dropped_ = 0, damaged_ = 0;
  std::uint64_t synced_ = 0;        // records up to here are on disk
  std::uint64_t synced_bytes_ = 0;  // of the active segment
  bool is_syncing_ = false;
  bool must_rewrite_ = false;  // an fdatasync of the active segment failed
  bool state_failed_ = false;
};

void DiskSpool::save_state() {
  const auto saved = state_.write({first_ - 1, dropped_, synced_ + 1});
  if (!saved && !state_failed_) {
    log_warning(saved.error().message() + "; after a restart some records may come twice");
  }
  state_failed_ = !saved;
}

// Records that should be in `segment`, which ends before number `end`, and are not.
void DiskSpool::count_damage(const SegmentFile& segment, std::uint64_t end) {
  const std::uint64_t from = std::max(segment.first, first_);
  if (end <= from) return;
  const auto there = static_cast<std::uint64_t>(
      std::count_if(segment.records.begin(), segment.records.end(),
                    [&](const RecordPlace& r) { return r.sequence >= from && r.sequence < end; }));
  const std::uint64_t missing = end - from - there;
  if (missing == 0) return;
  damaged_ += missing;
  log_error("spool " + segment.path + ": " + with_thousands(missing) +
            " records are damaged or missing and were skipped; check the disk");
}

Result<void> DiskSpool::recover(const std::vector<std::uint64_t>& firsts) {
  for (std::size_t i = 0; i < firsts.size(); ++i) {
    const std::string path = SegmentFile::path_of(options_.folder, firsts[i]);
    if (i + 1 == firsts.size()) {
      auto last = SegmentFile::open_last(options_.folder, firsts[i], state_.incarnation());
      if (!last) return pass_on(last.error());
      active_ = std::move(*last);
      bytes_ += active_->bytes;
    } else if (firsts[i + 1] <= first_) {
      ::unlink(path.c_str());  // released, but not yet gone
    } else {
      const auto file = open_file(path, O_RDONLY);
      if (!file) return pass_on(file.error());
      const auto size = file_size(*file, path);
      if (!size) return pass_on(size.error());
      sealed_.push_back({firsts[i], *size, false});
      bytes_ += *size;
    }
  }
  const std::uint64_t oldest = !sealed_.empty() ? sealed_.front().first
                               : active_        ? active_->first
                                                : state_.values().next;
  if (oldest > first_) {
    if (!state_.is_new()) {
      damaged_ += oldest - first_;
      log_error("spool " + options_.folder + ": segments with " + with_thousands(oldest - first_) +
                " records are missing");
    }
    first_ = oldest;
  }
  // What was synced keeps its numbers, even if it is gone: nobody else may get them.
  next_ = std::max(first_, state_.values().next);
  if (active_) {
    next_ = std::max(next_, active_->first);
    if (!active_->records.empty()) next_ = std::max(next_, active_->records.back().sequence + 1);
    count_damage(*active_, next_);
  }
  synced_ = next_ - 1;
  if (!active_) {
    const auto begun = begin_segment();
    if (!begun) return begun;
  }
  synced_bytes_ = active_->bytes;
  save_state();
  return {};
}

Result<void> DiskSpool::begin_segment() {
  if (active_) {
    const auto flushed = active_->flush(must_rewrite_, synced_bytes_, active_->bytes);
    if (!flushed) {
      must_rewrite_ = true;
      return flushed;
    }
    must_rewrite_ = false;
    synced_ = next_ - 1;
    synced_bytes_ = active_->bytes;
    if (active_->first == next_) return {};  // it is empty: a new one would have its name
  }
  auto made = SegmentFile::make(options_.folder, {next_, state_.incarnation()});
  if (!made) return pass_on(made.error());
  if (active_) {
    sealed_.push_back({active_->first, active_->bytes, true});
    keep_open(std::move(active_));
  }
  active_ = std::move(*made);
  synced_bytes_ = active_->bytes;
  bytes_ += active_->bytes;
  save_state();
  return {};
}

void DiskSpool::remove_oldest() {
  const Sealed oldest = sealed_.front();
  const std::uint64_t end = end_of(0);
  if (end > first_) {
    dropped_ += end - std::max(first_, oldest.first);
    first_ = end;
  }
  save_state();  // before they go: otherwise they would count as missing after a crash
  ::unlink(SegmentFile::path_of(options_.folder, oldest.first).c_str());
  bytes_ -= oldest.bytes;
  sealed_.pop_front();
  std::erase_if(open_, [&](const auto& segment) { return segment->first == oldest.first; });
}

Result<void> DiskSpool::make_room(std::uint64_t bytes) {
  while (!has_room(bytes)) {
    const bool has_unreleased = first_ < next_;
    if (has_unreleased && options_.when_full == WhenFull::refuse) {
      return fail(ErrorKind::limit, "append to", options_.folder,
                  "it is full: " + in_words(bytes_) + " of " + in_words(options_.most_bytes));
    }
    if (sealed_.empty()) {
      const auto begun = begin_segment();
      if (!begun) return begun;
    }
    if (sealed_.empty()) break;  // nothing is left: a record as long as all
    remove_oldest();
  }
  return {};
}

Result<std::uint64_t> DiskSpool::append(std::string_view record, Timestamp now) {
  const std::uint64_t needed = kRecordHeaderBytes + record.size();
  std::unique_lock lock(mutex_);
  if (record.size() > options_.longest_record || record.size() > UINT32_MAX ||
      2 * kSegmentHeaderBytes + needed > options_.most_bytes) {
    return fail(ErrorKind::limit, "append to", options_.folder,
                "a record of " + in_words(record.size()) + " is longer than it takes");
  }
  const auto ends_segment = [&] {
    return !active_->records.empty() && active_->bytes + needed > options_.segment_bytes;
  };
  // Who begins a segment syncs the one before. Of two fdatasyncs at a time only one would be told
  // of an error.
  synced_more_.wait(lock, [&] { return !is_syncing_ || (!ends_segment() && has_room(needed)); });
  const auto made = make_room(needed + (ends_segment() ? kSegmentHeaderBytes : 0));
  if (!made) return pass_on(made.error());
  if (ends_segment()) {
    const auto begun = begin_segment();
    if (!begun) return pass_on(begun.error());
  }
  const RecordHeader header{static_cast<std::uint32_t>(record.size()), next_, now,
                            record_checksum(record, active_->incarnation)};
  const auto appended = active_->append(header, record);
  if (!appended) return pass_on(appended.error());
  bytes_ += needed;
  return next_++;
}

Result<void> DiskSpool::sync(std::uint64_t sequence) {
  std::unique_lock lock(mutex_);
  sequence = std::min(sequence, next_ - 1);
  while (synced_ < sequence) {
    if (is_syncing_) {  // may have begun before ours was appended: look again when it ends
      synced_more_.wait(lock);
      continue;
    }
    is_syncing_ = true;
    const std::uint64_t target = next_ - 1, from = synced_bytes_;
    const auto segment = active_;
    const std::uint64_t to = segment->bytes;
    const bool rewrite = must_rewrite_;
    lock.unlock();
    const auto flushed = segment->flush(rewrite, from, to);
    lock.lock();
    is_syncing_ = false;
    if (segment == active_) {
      must_rewrite_ = !flushed;
      if (flushed) synced_bytes_ = to;
    }
    if (flushed && target > synced_) {
      synced_ = target;
      save_state();
    }
    synced_more_.notify_all();
    if (!flushed && synced_ < sequence) return flushed;
  }
  return {};
}

void DiskSpool::keep_open(std::shared_ptr<SegmentFile> segment) {
  if (open_.size() == kMostOpenSegments) open_.erase(open_.begin());
  open_.push_back(std::move(segment));
}

// The segment in which `sequence` is or should be, and the number at which it ends.
Result<std::shared_ptr<SegmentFile>> DiskSpool::segment_of(std::uint64_t sequence,
                                                           std::uint64_t& end) {
  end = next_;
  if (sequence >= active_->first) return active_;
  const auto after =
      std::upper_bound(sealed_.begin(), sealed_.end(), sequence,
                       [](std::uint64_t s, const Sealed& sealed) { return s < sealed.first; });
  const auto number = static_cast<std::size_t>(after - sealed_.begin()) - 1;
  Sealed& sealed = sealed_[number];
  end = end_of(number);
  const auto found = std::find_if(open_.begin(), open_.end(), [&](const auto& segment) {
    return segment->first == sealed.first;
  });
  if (found != open_.end()) {
    std::rotate(found, found + 1, open_.end());
    return open_.back();
  }
  auto opened = SegmentFile::open_sealed(options_.folder, sealed.first, state_.incarnation());
  if (!opened) return opened;
  if (!std::exchange(sealed.is_known, true)) count_damage(**opened, end);
  keep_open(*opened);
  return opened;
}

Result<std::optional<Spool::Record>> DiskSpool::read(std::uint64_t sequence) {
  std::unique_lock lock(mutex_);
  for (;;) {
    sequence = std::max(sequence, first_);
    if (sequence >= next_) return std::optional<Record>();
    std::uint64_t end = 0;
    const auto segment = segment_of(sequence, end);
    if (!segment) return pass_on(segment.error());
    auto& records = (*segment)->records;
    const auto found = std::lower_bound(
        records.begin(), records.end(), sequence,
        [](const RecordPlace& record, std::uint64_t s) { return record.sequence < s; });
    if (found == records.end()) {
      sequence = end;
      continue;
    }
    const RecordPlace place = *found;
    lock.unlock();
    auto bytes = (*segment)->read(place);
    lock.lock();
    if (!bytes) return pass_on(bytes.error());
    if (*bytes) return Record{place.sequence, place.appended, std::move(**bytes)};
    // It was whole when the segment was opened.
    damaged_ += std::erase_if(
        records, [&](const RecordPlace& record) { return record.sequence == place.sequence; });
    log_error("spool " + (*segment)->path + ": record " + std::to_string(place.sequence) +
              " is damaged and was skipped; check the disk");
    sequence = place.sequence + 1;
  }
}

void DiskSpool::release(std::uint64_t sequence) {
  const std::lock_guard lock(mutex_);
  sequence = std::min(sequence, next_ - 1);
  if (sequence < first_) return;
  first_ = sequence + 1;
  save_state();
  while (!sealed_.empty() && end_of(0) <= first_)
    remove_oldest();
}

void DiskSpool::release_before(Timestamp time) {
  std::unique_lock lock(mutex_);
  std::uint64_t sequence = first_;
  bool is_done = false;
  while (sequence < next_ && !is_done) {
    std::uint64_t end = 0;
    const auto segment = segment_of(sequence, end);
    if (!segment) {
      log_error(segment.error().message());
      break;
    }
    std::uint64_t kept = end;
    for (const RecordPlace& record : (*segment)->records) {
      if (record.sequence < sequence || record.appended < time) continue;
      kept = record.sequence;
      is_done = true;
      break;
    }
    sequence = kept;
  }
  lock.unlock();
  if (sequence > 0) release(sequence - 1);
}

}  // namespace

Result<std::unique_ptr<Spool>> Spool::open(const Options& options) {
  const auto made = make_folder(options.folder);
  if (!made) return pass_on(made.error());
  auto lock = open_file(options.folder + "/lock", O_RDWR | O_CREAT);
  if (!lock) return pass_on(lock.error());
  if (::flock(lock->get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return fail_errno("lock", options.folder);
    return fail(ErrorKind::usage, "open", options.folder, "another process is using it");
  }
  const auto names = file_names(options.folder);
  if (!names) return pass_on(names.error());
  std::vector<std::uint64_t> firsts;
  for (const std::string& name : *names) {
    if (name.size() > 4 && name.substr(name.size() - 4) == ".new") {  // half-made
      ::unlink((options.folder + "/" + name).c_str());
    }
    if (const auto first = SegmentFile::first_of(name)) firsts.push_back(*first);
  }
  std::sort(firsts.begin(), firsts.end());

  std::optional<SegmentHeader> known;
  if (!firsts.empty()) {
    const std::string path = SegmentFile::path_of(options.folder, firsts.back());
    const auto last = open_file(path, O_RDONLY);
    if (!last) return pass_on(last.error());
    const auto head = read_at(*last, path, 0, kSegmentHeaderBytes);
    if (!head) return pass_on(head.error());
    known = decode_segment_header(*head);
  }
  auto state = SpoolState::open(options.folder, known ? &known->incarnation : nullptr);
  if (!state) return pass_on(state.error());
  auto spool = std::make_unique<DiskSpool>(options, std::move(*lock), std::move(*state));
  const auto recovered = spool->recover(firsts);
  if (!recovered) return pass_on(recovered.error());
  return std::unique_ptr<Spool>(std::move(spool));
}

}  // namespace beaconry
