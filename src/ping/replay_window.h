#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>

#include "ping/ping.h"

namespace beaconry {

// Which (probe, sequence, leg) were seen, so that nobody is answered twice. Bounded: of each probe
// the newest kWindow sequence numbers, as bits; what is older than that counts as seen. One thread.
class ReplayWindow {
 public:
  static constexpr std::uint64_t kWindow = 65'536;
  static constexpr std::size_t kMostProbes = 4096;

  ReplayWindow();
  ~ReplayWindow();
  // True the first time.
  bool add(ProbeId probe, std::uint64_t sequence, Leg leg);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace beaconry
