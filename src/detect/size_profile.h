#pragma once
#include <span>
#include <vector>

#include "detect/verdict.h"
#include "series/check_in.h"

namespace beaconry {

// The commonest size of each direction and how much of all check-ins has it. Mass says more than
// a coefficient of variation that one download ruins. Unknown sizes are left out, not taken as 0.
struct SizeProfile {
  SizeMode out, in;
  std::uint64_t bytes_out = kUnknownBytes;  // totals of what is known
  std::uint64_t bytes_in = kUnknownBytes;

  void assign(std::span<const CheckIn> check_ins);

 private:
  SizeMode mode_of(std::vector<std::uint64_t>& sizes) const;
  std::vector<std::uint64_t> sizes_;
};

}  // namespace beaconry
