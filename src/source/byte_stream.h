#pragma once
#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "base/result.h"
#include "source/read_report.h"

namespace beaconry {

// Bytes from first to last, read by one thread at a time.
class ByteStream {
 public:
  virtual ~ByteStream() = default;
  // Fills up to `out.size()` bytes, 0 at the end. After an error (truncated gzip, I/O) what came
  // before has been delivered, and the error is all that further calls give.
  virtual Result<std::size_t> read(std::span<char> out) = 0;
  virtual const std::string& name() const = 0;
};

// A file, FIFO or, for "-", standard input as it is stored. It is opened at the first read, so that
// thousands may wait their turn; what was read is counted into `progress`, which may be null and
// must outlive the stream.
std::unique_ptr<ByteStream> open_stored(std::string path, ReadReport* progress);

// `stored` with gzip (all members) or zstd (all frames) undone, told by their magic bytes; anything
// else comes through as it is. One level only. Memory does not depend on the content: zstd windows
// above 128 MiB are refused.
std::unique_ptr<ByteStream> decompress(std::unique_ptr<ByteStream> stored);

// `prefix`, then what `rest` still gives: for streams that were sniffed and can't be read again.
std::unique_ptr<ByteStream> join_prefix(std::string prefix, std::unique_ptr<ByteStream> rest);

// `inner` read ahead by a thread of its own, so that inflating and parsing use two cores. At most
// 1 MiB is held. `inner` must not be blocked for good when this is destroyed.
std::unique_ptr<ByteStream> read_ahead(std::unique_ptr<ByteStream> inner);

}  // namespace beaconry
