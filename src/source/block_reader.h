#pragma once
#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "packet/found_name.h"
#include "source/byte_stream.h"

namespace beaconry {

// Lets a parser look at a stream's next bytes in place, reading it in large blocks. The first block
// is small: of many files to be merged, most wait for their turn with nothing but that in memory.
class BlockReader {
 public:
  explicit BlockReader(std::unique_ptr<ByteStream> stream) : stream_(std::move(stream)) {}

  // The next `count` bytes, which stay where they are; fewer at the end or after an error. Until
  // the next call. `count` is what the caller allows a peer to make this program hold.
  ByteView peek(std::size_t count) {
    if (buffer_end_ - at_ < count) fill(count);
    return {buffer_.data() + at_, std::min(count, buffer_end_ - at_)};
  }

  // Goes over `count` bytes; false if there are fewer.
  bool skip(std::uint64_t count);

  std::uint64_t offset() const { return buffer_offset_ + at_; }  // of what is next
  const std::optional<Error>& error() const { return error_; }
  const std::string& name() const { return stream_->name(); }

 private:
  static constexpr std::size_t kFirstBlock = 16 << 10;
  static constexpr std::size_t kBlock = 256 << 10;

  void fill(std::size_t count);

  std::unique_ptr<ByteStream> stream_;
  std::vector<std::uint8_t> buffer_;
  std::size_t at_ = 0, buffer_end_ = 0;
  std::uint64_t buffer_offset_ = 0;  // of the buffer's first byte
  bool at_end_ = false;
  std::optional<Error> error_;
};

}  // namespace beaconry
