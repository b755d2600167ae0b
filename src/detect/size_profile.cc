#include "detect/size_profile.h"

#include <algorithm>
#include <boost/sort/pdqsort/pdqsort.hpp>

namespace beaconry {
namespace {

// Sizes that differ by padding, a counter or a time stamp are one size.
std::uint64_t same_size_until(std::uint64_t least) {
  const std::uint64_t slack = 8 + least / 32;
  return least > kUnknownBytes - slack ? kUnknownBytes : least + slack;
}

}  // namespace

SizeMode SizeProfile::mode_of(std::vector<std::uint64_t>& sizes) const {
  SizeMode mode;
  if (sizes.empty()) return mode;
  const auto [least, largest] = std::minmax_element(sizes.begin(), sizes.end());
  std::size_t most = sizes.size(), most_begin = 0;
  if (*largest > same_size_until(*least)) {
    boost::sort::pdqsort_branchless(sizes.begin(), sizes.end());
    // A window grows while it holds more than the best so far; it never has to shrink.
    most = 0;
    for (std::size_t begin = 0; begin + most < sizes.size(); ++begin) {
      const std::uint64_t limit = same_size_until(sizes[begin]);
      while (begin + most < sizes.size() && sizes[begin + most] <= limit) {
        ++most;
        most_begin = begin;
      }
    }
  } else {
    const auto middle = sizes.begin() + static_cast<std::ptrdiff_t>(most / 2);
    std::nth_element(sizes.begin(), middle, sizes.end());
  }
  mode.bytes = sizes[most_begin + most / 2];
  mode.known = static_cast<std::uint32_t>(sizes.size());
  mode.share = static_cast<double>(most) / static_cast<double>(sizes.size());
  return mode;
}

void SizeProfile::assign(std::span<const CheckIn> check_ins) {
  const auto profile = [&](std::uint64_t CheckIn::*direction, std::uint64_t& total) {
    sizes_.clear();
    total = kUnknownBytes;
    for (const CheckIn& c : check_ins) {
      const std::uint64_t bytes = c.*direction;
      if (bytes == kUnknownBytes) continue;
      total = add_bytes(total, bytes);
      sizes_.push_back(bytes);
    }
    return mode_of(sizes_);
  };
  out = profile(&CheckIn::bytes_out, bytes_out);
  in = profile(&CheckIn::bytes_in, bytes_in);
}

}  // namespace beaconry
