#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace beaconry {

// The folder of batches that the server would not have, for whoever wants to know why: one file
// each, the newest up to a bound. One thread.
class RefusedBatches {
 public:
  // No folder: nothing is kept.
  RefusedBatches(std::string folder, std::uint64_t most_bytes)
      : folder_(std::move(folder)), most_bytes_(most_bytes) {}

  Result<void> add(std::string_view incarnation, std::uint64_t sequence, std::string_view content);

 private:
  std::string folder_;
  std::uint64_t most_bytes_;
};

}  // namespace beaconry
