#include "packet/reassembly.h"

#include <algorithm>

namespace beaconry {

void Reassembly::insert(std::uint64_t offset, ByteView bytes) {
  if (offset >= capacity_ || bytes.empty()) return;
  Range added{static_cast<std::size_t>(offset), 0};
  added.end = added.begin + std::min(bytes.size(), capacity_ - added.begin);

  // Neighbours that the piece touches grow together with it into one range.
  std::size_t first = 0;
  while (first < range_count_ && ranges_[first].end < added.begin)
    ++first;
  std::size_t last = first;
  while (last < range_count_ && ranges_[last].begin <= added.end)
    ++last;
  if (first == last && range_count_ == ranges_.size()) return;

  if (bytes_.size() < added.end) bytes_.resize(added.end);
  std::size_t at = added.begin;
  for (std::size_t i = first; i <= last; ++i) {
    const std::size_t stop = i < last ? std::min(ranges_[i].begin, added.end) : added.end;
    if (at < stop) {
      const auto from = bytes.begin() + static_cast<std::ptrdiff_t>(at - added.begin);
      std::copy(from, from + static_cast<std::ptrdiff_t>(stop - at),
                bytes_.begin() + static_cast<std::ptrdiff_t>(at));
    }
    if (i < last) at = std::max(at, ranges_[i].end);
  }

  if (first == last) {
    std::move_backward(ranges_.begin() + static_cast<std::ptrdiff_t>(first),
                       ranges_.begin() + static_cast<std::ptrdiff_t>(range_count_),
                       ranges_.begin() + static_cast<std::ptrdiff_t>(range_count_ + 1));
    ranges_[first] = added;
    ++range_count_;
    return;
  }
  ranges_[first] = {std::min(ranges_[first].begin, added.begin),
                    std::max(ranges_[last - 1].end, added.end)};
  std::move(ranges_.begin() + static_cast<std::ptrdiff_t>(last),
            ranges_.begin() + static_cast<std::ptrdiff_t>(range_count_),
            ranges_.begin() + static_cast<std::ptrdiff_t>(first + 1));
  range_count_ -= last - first - 1;
}

ByteView Reassembly::contiguous() const {
  if (range_count_ == 0 || ranges_[0].begin != 0) return {};
  return ByteView(bytes_).first(ranges_[0].end);
}

}  // namespace beaconry
