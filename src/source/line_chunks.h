#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/result.h"
#include "source/byte_stream.h"

namespace beaconry {

// A line longer than this is refused without being held in memory.
constexpr std::size_t kLongestLine = std::size_t{1} << 20;

// Whole lines of a file: buffer[begin, end). Each ends with a newline but perhaps the file's last.
// At least one byte of the buffer follows `end`. The buffer is used again for the next chunk.
struct LineChunk {
  std::vector<char> buffer;
  std::size_t begin = 0, end = 0;
  bool too_long = false;  // a line longer than kLongestLine followed, and was left out
};

// The lines that begin in bytes [offset, offset + length) of a regular file; chunks of one file may
// be read by several threads at once. A file that shrank meanwhile just ends earlier.
// REQUIRES length > 0.
Result<void> read_lines(int fd, const std::string& name, std::uint64_t offset, std::size_t length,
                        LineChunk& chunk);

// The lines of a stream, chunk after chunk of about `chunk_bytes`.
class StreamLines {
 public:
  StreamLines(ByteStream& stream, std::size_t chunk_bytes)
      : stream_(stream), chunk_bytes_(chunk_bytes) {}

  // False at the end. After an error the lines before it have been given.
  Result<bool> next(LineChunk& chunk);

 private:
  Result<bool> skip_line();

  ByteStream& stream_;
  std::size_t chunk_bytes_;
  std::vector<char> rest_;  // the beginning of a line that was not complete
  bool ended_ = false;
  bool skipping_ = false;
};

}  // namespace beaconry
