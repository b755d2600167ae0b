#include "source/followed_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

namespace beaconry {
namespace {

constexpr std::size_t kChunk = std::size_t{512} << 10;
constexpr std::size_t kLongestHeader = std::size_t{64} << 10;

bool is_compressed(std::string_view head) {
  return head.starts_with("\x1f\x8b") || head.starts_with("\x28\xb5\x2f\xfd");
}

// Keeps the '#' lines of `text` that are in force behind it.
void note_header(std::string_view text, std::string& header) {
  constexpr auto kNone = std::string_view::npos;
  for (std::size_t at = text.starts_with('#') ? 0 : text.find("\n#"); at != kNone;) {
    if (text[at] == '\n') ++at;
    const auto end = std::min(text.find('\n', at), text.size());
    const auto line = text.substr(at, end - at);
    if (line.starts_with("#separator")) header.clear();
    if (header.size() + line.size() < kLongestHeader) header.append(line) += '\n';
    at = text.find("\n#", end);
  }
}

void feed_header(std::string_view header, LogPosition& position) {
  while (!header.empty()) {
    const auto end = std::min(header.find('\n'), header.size());
    std::string_view line = header.substr(0, end);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (!line.empty()) position.header.add(line);
    header.remove_prefix(std::min(end + 1, header.size()));
  }
}

}  // namespace

FollowedFile::FollowedFile(std::string path, const std::string& name)
    : names{0, {0, ZeekHeaderReader(name)}, {}, false},
      flows{0, {0, ZeekHeaderReader(name)}, {}, false},
      path_(std::move(path)),
      name_(name) {}

Result<std::unique_ptr<FollowedFile>> FollowedFile::open(const std::string& path,
                                                         const std::string& name) {
  auto fd = Fd::open_for_reading(path);
  if (!fd) return tl::unexpected<Error>(fd.error());
  std::unique_ptr<FollowedFile> file(new FollowedFile(path, name));
  file->fd_ = std::move(*fd);
  struct stat info {};
  if (::fstat(file->fd_.get(), &info) != 0) return fail_errno("look at", path);
  if (!S_ISREG(info.st_mode)) {
    return fail(ErrorKind::unsupported, "follow", path, "not a regular file");
  }
  file->device_ = info.st_dev;
  file->inode_ = info.st_ino;
  file->size_ = static_cast<std::uint64_t>(info.st_size);
  file->modified_ = std::int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec;
  std::array<char, 4> magic{};
  const auto got = file->read(0, magic.data(), magic.size());
  if (got && is_compressed({magic.data(), *got})) {
    file->stream_ = decompress(open_stored(path, nullptr));
    file->size_ = 0;
  }
  file->read_head();
  return file;
}

Result<std::size_t> FollowedFile::read(std::uint64_t offset, char* out, std::size_t size) {
  if (stream_) return read_stream(offset, out, size);
  std::size_t done = 0;
  while (done < size) {
    const ssize_t got =
        ::pread(fd_.get(), out + done, size - done, static_cast<off_t>(offset + done));
    if (got == 0) break;
    if (got < 0) {
      if (errno == EINTR) continue;
      return fail_errno("read", path_);
    }
    done += static_cast<std::size_t>(got);
  }
  return done;
}

Result<std::size_t> FollowedFile::read_stream(std::uint64_t offset, char* out, std::size_t size) {
  if (offset < stream_at_) {
    stream_ = decompress(open_stored(path_, nullptr));
    stream_at_ = 0;
  }
  std::vector<char> skipped;
  while (stream_at_ < offset) {
    skipped.resize(std::size_t{64} << 10);
    const auto most = std::min<std::uint64_t>(skipped.size(), offset - stream_at_);
    const auto got = stream_->read(std::span(skipped).first(static_cast<std::size_t>(most)));
    if (!got || *got == 0) return got;
    stream_at_ += *got;
  }
  std::size_t done = 0;
  while (done < size) {
    const auto got = stream_->read(std::span(out + done, size - done));
    if (!got && done == 0) return got;
    if (!got || *got == 0) break;  // the stream repeats its error
    done += *got;
    stream_at_ += *got;
  }
  size_ = std::max(size_, stream_at_);
  return done;
}

void FollowedFile::read_head() {
  if (head_.size() >= FileState::kHeadBytes) return;
  std::string head(FileState::kHeadBytes, '\0');
  const auto got = read(0, head.data(), head.size());
  head.resize(got.value_or(0));
  if (head.size() > head_.size()) head_ = std::move(head);
}

bool FollowedFile::head_holds() {
  if (stream_) return true;
  std::string head(head_.size(), '\0');
  const auto got = read(0, head.data(), head.size());
  return !got || (*got == head.size() && head == head_);
}

bool FollowedFile::look(Timestamp now) {
  if (stream_) return true;
  struct stat info {};
  if (::fstat(fd_.get(), &info) != 0) return true;
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (size < std::max(names.offset, flows.offset) || !head_holds()) return false;
  size_ = size;
  modified_ = std::int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec;
  read_head();
  // Few are enough to tell how large it was some seconds ago.
  constexpr std::size_t kMostSizes = 64;
  if (sizes_.empty() || sizes_.back().second != size) {
    if (sizes_.size() == kMostSizes) sizes_.erase(sizes_.begin() + kMostSizes / 2);
    sizes_.emplace_back(now, size);
  }
  return true;
}

std::uint64_t FollowedFile::size_before(Timestamp now, Duration wait) const {
  if (stream_) return UINT64_MAX;
  std::uint64_t size = 0;
  for (const auto& [time, seen] : sizes_) {
    // A clock that was set back must not hold up what was seen "later".
    if (time <= now - wait || time > now) size = seen;
  }
  return size;
}

bool FollowedFile::begins_like(const FileHead& head) const {
  return head.size > 0 && head_.size() >= head.size &&
         FlowNames::hash(std::string_view(head_).substr(0, head.size)) == head.hash;
}

bool FollowedFile::begins_like(const FileState& state) const {
  return begins_like(FileHead{state.head_size, state.head_hash}) &&
         (stream_ || size_ >= std::max(state.names.offset, state.flows.offset));
}

FileState FollowedFile::state() const {
  FileState state;
  state.inode = inode_;
  state.head_size = head_.size();
  state.head_hash = FlowNames::hash(head_);
  state.modified = modified_;
  state.decided = decided_;
  state.has_names = content_.has_names;
  state.has_flows = content_.has_flows;
  state.names = {names.offset, names.position.lines, names.skipping, names.header};
  state.flows = {flows.offset, flows.position.lines, flows.skipping, flows.header};
  return state;
}

void FollowedFile::go_on(const FileState& state) {
  const auto set = [](Cursor& cursor, const CursorState& from) {
    cursor.offset = from.offset;
    cursor.position.lines = from.lines;
    cursor.skipping = from.skipping;
    cursor.header = from.header;
    feed_header(from.header, cursor.position);
  };
  set(names, state.names);
  set(flows, state.flows);
  if (!state.decided) return;
  // Later lines must not make it read by other cursors than those that came this far.
  decide(true);
  content_.has_names = state.has_names;
  content_.has_flows = state.has_flows;
}

Result<void> FollowedFile::skip_to_end() {
  LineChunk chunk;
  ScannedChunk scanned;
  decide(true);
  for (;;) {
    const auto more = next(names, size_, false, chunk, scanned);
    if (!more) return tl::unexpected<Error>(more.error());
    if (!*more) break;
  }
  flows = names;
  return {};
}

bool FollowedFile::decide(bool last) {
  if (decided_) return true;
  const std::uint64_t known = stream_ ? kSniffBytes : std::min<std::uint64_t>(size_, kSniffBytes);
  if (known == 0 || (known == sniffed_size_ && !last)) return false;
  sniffed_size_ = known;
  std::string start(static_cast<std::size_t>(known), '\0');
  const auto got = read(0, start.data(), start.size());
  if (!got) return false;
  start.resize(*got);
  const bool all = start.size() == kSniffBytes || last;
  if (!all) start.resize(start.rfind('\n') + 1);  // npos + 1 is 0
  const Sniffed found = sniff(start, name_);
  const bool log = found.format == InputFormat::zeek_tsv ||
                   found.format == InputFormat::zeek_json || found.format == InputFormat::eve;
  if (!log && !all) return false;
  content_ = found;
  if (!log) content_.has_names = content_.has_flows = false;
  // Rows that say themselves what they are may be of all kinds, though the first are of one.
  if (found.format == InputFormat::zeek_json && !found.zeek_path.empty() &&
      !log_kind_of_path(name_)) {
    content_.has_names = content_.has_flows = true;
  }
  decided_ = true;
  return true;
}

Result<bool> FollowedFile::next(Cursor& cursor, std::uint64_t limit, bool last, LineChunk& chunk,
                                ScannedChunk& scanned) {
  chunk.begin = chunk.end = 0;
  chunk.too_long = false;
  for (std::size_t want = kChunk; cursor.offset < limit;) {
    const auto count =
        static_cast<std::size_t>(std::min<std::uint64_t>(want, limit - cursor.offset));
    if (chunk.buffer.size() < count + 1) chunk.buffer.resize(count + 1);
    const auto got = read(cursor.offset, chunk.buffer.data(), count);
    if (!got) return tl::unexpected<Error>(got.error());
    // Emptied and written anew since the last look, those bytes are of another log.
    if (*got == 0 || !head_holds()) return false;
    const std::string_view text(chunk.buffer.data(), *got);
    if (cursor.skipping) {
      const auto end = text.find('\n');
      cursor.offset += end == std::string_view::npos ? text.size() : end + 1;
      cursor.skipping = end == std::string_view::npos;
      continue;
    }
    std::size_t end = text.rfind('\n') + 1;  // npos + 1 is 0
    const bool whole = text.size() < count || cursor.offset + text.size() == limit;
    if (end == 0 && text.size() > kLongestLine) {
      chunk.too_long = cursor.skipping = true;
      cursor.offset += text.size();
      scanned = scan_chunk(content_.format, chunk, cursor.position);
      return true;
    }
    if (end == 0 && !whole) {
      want = 2 * kLongestLine;
      continue;
    }
    if (last && whole) end = text.size();
    if (end == 0) return false;
    chunk.end = end;
    scanned = scan_chunk(content_.format, chunk, cursor.position);
    if (content_.format == InputFormat::zeek_tsv) note_header(text.substr(0, end), cursor.header);
    cursor.offset += end;
    return true;
  }
  return false;
}

}  // namespace beaconry
