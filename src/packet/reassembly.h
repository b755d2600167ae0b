#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "packet/found_name.h"

namespace beaconry {

// Puts the beginning of a stream together from pieces that come in any order, repeated or
// overlapping: the first to come wins. Bounded: at most `capacity` bytes and kMostGaps holes; what
// does not fit is dropped, and the stream then stays incomplete.
class Reassembly {
 public:
  explicit Reassembly(std::size_t capacity) : capacity_(capacity) {}

  void insert(std::uint64_t offset, ByteView bytes);

  // What is there without a hole from the stream's first byte on. Until the next insert().
  ByteView contiguous() const;
  std::size_t memory() const { return bytes_.capacity(); }  // beyond its own size
  bool full() const { return contiguous().size() == capacity_; }

 private:
  static constexpr std::size_t kMostGaps = 8;
  struct Range {
    std::size_t begin, end;
  };

  std::size_t capacity_;
  std::vector<std::uint8_t> bytes_;
  std::array<Range, kMostGaps + 1> ranges_{};  // sorted, apart from one another
  std::size_t range_count_ = 0;
};

}  // namespace beaconry
