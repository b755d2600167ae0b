#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/paged_vector.h"
#include "base/time.h"

namespace beaconry {

// The ids (Zeek uids, packet numbers) of the first five check-ins of a series, to pivot on.
// Fixed slots, so that replacing one never leaks; of a longer id its end is kept.
class SampleStore {
 public:
  static constexpr std::size_t kSamples = 5;
  static constexpr std::size_t kLongestId = 19;
  using List = std::uint32_t;  // the number of its first slot; 0: none

  // Keeps (time, id) if it is among the five earliest. Returns the time from which on no id will
  // be kept any more.
  Timestamp offer(List& list, Timestamp time, std::string_view id);
  Timestamp offer_all(List& list, const SampleStore& other, List others);
  // Forgets ids from before `from`. Returns what offer() does.
  Timestamp drop_before(List& list, Timestamp from);
  // Appends time and text of each, in no order.
  void read(List list, std::vector<std::pair<Timestamp, std::string>>& out) const;
  std::size_t memory_bytes() const { return slots_.memory_bytes(); }
  std::size_t used_bytes() const { return used_ * sizeof(Slot); }

 private:
  struct Slot {
    Timestamp time;
    List next;
    std::uint8_t length;
    std::array<char, kLongestId> text;
  };
  Timestamp latest(List list) const;
  const Slot& slot(std::uint32_t number) const { return slots_[number - 1]; }
  Slot& slot(std::uint32_t number) { return slots_[number - 1]; }

  PagedVector<Slot> slots_;
  List free_ = 0;
  std::size_t used_ = 0;
};

}  // namespace beaconry
