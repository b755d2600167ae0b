#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace beaconry {

// The ids (Zeek uids, packet numbers) of the first five check-ins of a series, to pivot on.
// Fixed slots, so that replacing one never leaks; of a longer id its end is kept.
class SampleStore {
 public:
  static constexpr std::size_t kSamples = 5;
  static constexpr std::size_t kLongestId = 23;
  using Ids = std::array<std::uint32_t, kSamples>;  // slot numbers; 0: none

  // Keeps (time, id) if it is among the five earliest. Returns the time from which on no id will
  // be kept any more.
  Timestamp offer(Ids& ids, Timestamp time, std::string_view id);
  Timestamp offer_all(Ids& ids, const SampleStore& other, const Ids& others);
  // Appends time and text of each, in no order.
  void read(const Ids& ids, std::vector<std::pair<Timestamp, std::string>>& out) const;
  std::size_t memory_bytes() const { return slots_.size() * sizeof(Slot); }

 private:
  struct Slot {
    Timestamp time;
    std::uint8_t length;
    std::array<char, kLongestId> text;
  };
  Timestamp latest(const Ids& ids) const;
  const Slot& slot(std::uint32_t id) const { return slots_[id - 1]; }

  std::vector<Slot> slots_;
};

}  // namespace beaconry
