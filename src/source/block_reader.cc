#include "source/block_reader.h"

#include <algorithm>
#include <cstring>

namespace beaconry {

void BlockReader::fill(std::size_t count) {
  if (at_end_) return;
  const std::size_t kept = buffer_end_ - at_;
  if (kept > 0 && at_ > 0) std::memmove(buffer_.data(), buffer_.data() + at_, kept);
  buffer_offset_ += at_;
  at_ = 0;
  buffer_end_ = kept;
  const std::size_t block = buffer_.empty() ? kFirstBlock : kBlock;
  if (buffer_.size() < std::max(block, count)) buffer_.resize(std::max(block, count));
  while (buffer_end_ < count) {
    const auto got = stream_->read(
        {reinterpret_cast<char*>(buffer_.data()) + buffer_end_, buffer_.size() - buffer_end_});
    if (!got || *got == 0) {
      if (!got) error_ = got.error();
      at_end_ = true;
      return;
    }
    buffer_end_ += *got;
  }
}

bool BlockReader::skip(std::uint64_t count) {
  while (count > 0) {
    if (at_ == buffer_end_ && peek(1).empty()) return false;
    const auto step = static_cast<std::size_t>(
        std::min<std::uint64_t>(count, static_cast<std::uint64_t>(buffer_end_ - at_)));
    at_ += step;
    count -= step;
  }
  return true;
}

}  // namespace beaconry
