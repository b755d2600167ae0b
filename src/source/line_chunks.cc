#include "source/line_chunks.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace beaconry {
namespace {

constexpr std::size_t kSlack = 4096;  // what is read beyond a chunk for its last line

// As much as there is of [offset, offset + count), appended to the buffer at `at`.
Result<std::size_t> read_at(int fd, const std::string& name, std::uint64_t offset,
                            std::size_t count, std::vector<char>& buffer, std::size_t at) {
  if (buffer.size() < at + count + 1) buffer.resize(at + count + 1);
  std::size_t done = 0;
  while (done < count) {
    const ssize_t got =
        ::pread(fd, buffer.data() + at + done, count - done, static_cast<off_t>(offset + done));
    if (got == 0) break;
    if (got < 0) {
      if (errno == EINTR) continue;
      return fail_errno("read", name);
    }
    done += static_cast<std::size_t>(got);
  }
  return done;
}

}  // namespace

Result<void> read_lines(int fd, const std::string& name, std::uint64_t offset, std::size_t length,
                        LineChunk& chunk) {
  chunk.begin = chunk.end = 0;
  chunk.too_long = false;
  // The byte before tells whether a line begins at `offset`.
  const std::size_t before = offset > 0 ? 1 : 0;
  const auto got = read_at(fd, name, offset - before, before + length + kSlack, chunk.buffer, 0);
  if (!got) return tl::unexpected<Error>(got.error());
  std::size_t size = *got;
  const std::size_t owned = before + length;  // lines that begin before this are ours
  const auto newline_from = [&](std::size_t from) {
    const void* found =
        from < size ? std::memchr(chunk.buffer.data() + from, '\n', size - from) : nullptr;
    return found == nullptr
               ? size
               : static_cast<std::size_t>(static_cast<const char*>(found) - chunk.buffer.data());
  };
  if (before == 1) {
    chunk.begin = newline_from(0) + 1;
    if (chunk.begin >= owned || chunk.begin > size) {
      chunk.begin = chunk.end = 0;
      return {};
    }
  }
  if (size <= owned - 1) {  // the file ends within the chunk
    chunk.end = std::max(size, chunk.begin);
    return {};
  }
  // The last line is the one that holds or ends at the chunk's last byte.
  std::size_t searched = owned - 1;
  for (;;) {
    const std::size_t newline = newline_from(searched);
    if (newline < size) {
      chunk.end = newline + 1;
      return {};
    }
    searched = size;
    const auto more =
        read_at(fd, name, offset - before + size, std::size_t{64} << 10, chunk.buffer, size);
    if (!more) return tl::unexpected<Error>(more.error());
    if (*more == 0) {
      chunk.end = size;
      return {};
    }
    size += *more;
    if (size - owned > kLongestLine) {
      // Leave the line out: it begins after the last newline before the chunk's end.
      const char* data = chunk.buffer.data();
      std::size_t start = owned - 1;
      while (start > chunk.begin && data[start - 1] != '\n')
        --start;
      chunk.end = start;
      chunk.too_long = true;
      return {};
    }
  }
}

Result<bool> StreamLines::skip_line() {
  std::vector<char> block(std::size_t{64} << 10);
  for (;;) {
    const auto got = stream_.read(block);
    if (!got) return tl::unexpected<Error>(got.error());
    if (*got == 0) {
      ended_ = true;
      return false;
    }
    const void* found = std::memchr(block.data(), '\n', *got);
    if (found == nullptr) continue;
    const auto at = static_cast<std::size_t>(static_cast<const char*>(found) - block.data()) + 1;
    rest_.assign(block.begin() + static_cast<std::ptrdiff_t>(at),
                 block.begin() + static_cast<std::ptrdiff_t>(*got));
    return true;
  }
}

Result<bool> StreamLines::next(LineChunk& chunk) {
  chunk.begin = chunk.end = 0;
  chunk.too_long = false;
  if (skipping_) {
    skipping_ = false;
    const auto more = skip_line();
    if (!more || !*more) return more;
  }
  std::size_t room = std::max(chunk_bytes_, rest_.size() + 1);
  if (chunk.buffer.size() < room + 1) chunk.buffer.resize(room + 1);
  std::size_t size = rest_.size();
  std::copy(rest_.begin(), rest_.end(), chunk.buffer.begin());
  std::size_t lines_end = 0;
  for (std::size_t i = size; i-- > 0 && lines_end == 0;) {
    if (chunk.buffer[i] == '\n') lines_end = i + 1;
  }
  rest_.clear();
  while (!ended_) {
    if (size == room) {
      if (lines_end > 0) break;
      if (size > kLongestLine) {
        skipping_ = chunk.too_long = true;
        return true;
      }
      room *= 2;
      chunk.buffer.resize(room + 1);
    }
    const auto got = stream_.read(std::span(chunk.buffer).subspan(size, room - size));
    if (!got) {
      chunk.end = lines_end;
      // What came before the error goes first; then the stream repeats its error.
      if (lines_end == 0) return tl::unexpected<Error>(got.error());
      return true;
    }
    ended_ = *got == 0;
    for (std::size_t i = size + *got; i-- > size;) {
      if (chunk.buffer[i] == '\n') {
        lines_end = i + 1;
        break;
      }
    }
    size += *got;
  }
  if (ended_) lines_end = size;
  chunk.end = lines_end;
  rest_.assign(chunk.buffer.begin() + static_cast<std::ptrdiff_t>(lines_end),
               chunk.buffer.begin() + static_cast<std::ptrdiff_t>(size));
  return size > 0;
}

}  // namespace beaconry
