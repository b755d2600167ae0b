#pragma once
#include <cstdint>
#include <map>

#include "escape/method.h"

namespace beaconry {

// The tries of late, by sequence, so that home's answer finds the try that it answers. Bounded: an
// answer to one that is older than kMost others counts for nothing. One thread.
class RecentTries {
 public:
  static constexpr std::size_t kMost = 4096;

  void add(const Try& made) {
    tries_[made.sequence] = {made, false};
    if (tries_.size() > kMost) tries_.erase(tries_.begin());
  }
  // The try, if it is known and this is its first answer.
  const Try* answer(std::uint64_t sequence) {
    const auto at = tries_.find(sequence);
    if (at == tries_.end() || at->second.answered) return nullptr;
    at->second.answered = true;
    return &at->second.made;
  }
  std::size_t size() const { return tries_.size(); }

 private:
  struct Known {
    Try made;
    bool answered = false;
  };
  std::map<std::uint64_t, Known> tries_;
};

}  // namespace beaconry
