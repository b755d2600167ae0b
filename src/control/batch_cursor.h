#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace beaconry {

// Which of an edge's batches were received: everything up to the highest, but for some gaps. An
// edge sends in order, so gaps are rare: what it had to drop. Beyond kMostGaps the oldest are
// taken for lost for ever. One caller at a time.
class BatchCursor {
 public:
  static constexpr std::size_t kMostGaps = 64;

  bool has(std::uint64_t sequence) const;
  void add(std::uint64_t sequence);  // REQUIRES: not 0
  std::uint64_t highest() const { return highest_; }
  // In the gaps, and lost for ever. What was before the first batch that ever came is not missed.
  std::uint64_t missing() const;

  std::string to_text() const;  // highest, first, lost, gaps: "120 1 3 4-5 9-9"
  static Result<BatchCursor> parse(std::string_view text);

 private:
  struct Gap {
    std::uint64_t first = 0, last = 0;
  };
  std::uint64_t missed(const Gap& gap) const;

  std::uint64_t highest_ = 0, first_ = 0, lost_ = 0;
  std::vector<Gap> gaps_;  // in order
};

}  // namespace beaconry
