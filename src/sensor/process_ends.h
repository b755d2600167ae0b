#pragma once

#include <map>
#include <set>

#include "base/fd.h"

namespace beaconry {

// Sees that processes end which are not our children, such as those of containers. One thread.
class ProcessEnds {
 public:
  // These from now on, and no others. Of one that is gone already nothing is seen.
  void watch(const std::set<int>& processes);
  bool has_one_ended() const;  // does not block

 private:
  std::map<int, Fd> watched_;
};

}  // namespace beaconry
