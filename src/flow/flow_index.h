#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace beaconry {

// Finds a flow's number by its hash: open addressing with linear probing. Keys stay with the flows,
// so a look-up touches one line here and one there; growing needs the hashes alone.
class FlowIndex {
 public:
  static constexpr std::uint32_t kNone = 0xffffffff;

  FlowIndex() : slots_(kLeastSlots) {}

  // The flow with this hash of which `is_it` is true, or kNone.
  template <class IsIt>
  std::uint32_t find(std::uint32_t hash, const IsIt& is_it) const {
    for (std::size_t at = hash & mask();; at = (at + 1) & mask()) {
      const Slot& slot = slots_[at];
      if (slot.flow == kNone) return kNone;
      if (slot.hash == hash && is_it(slot.flow)) return slot.flow;
    }
  }

  // REQUIRES: the flow is not in the index.
  void insert(std::uint32_t hash, std::uint32_t flow) {
    if ((size_ + 1) * 2 > slots_.size()) grow();
    place(slots_, hash, flow);
    ++size_;
  }

  // REQUIRES: the flow is in the index under this hash.
  void erase(std::uint32_t hash, std::uint32_t flow) {
    std::size_t hole = hash & mask();
    while (slots_[hole].flow != flow)
      hole = (hole + 1) & mask();
    // What follows moves up unless that would put it before its own place, so that no tombstones
    // are left.
    for (std::size_t at = (hole + 1) & mask(); slots_[at].flow != kNone; at = (at + 1) & mask()) {
      const std::size_t from_home = (at - slots_[at].hash) & mask();
      if (from_home >= ((at - hole) & mask())) {
        slots_[hole] = slots_[at];
        hole = at;
      }
    }
    slots_[hole].flow = kNone;
    --size_;
  }

  std::size_t size() const { return size_; }

 private:
  struct Slot {
    std::uint32_t hash = 0;
    std::uint32_t flow = kNone;
  };
  static constexpr std::size_t kLeastSlots = 1024;

  std::size_t mask() const { return slots_.size() - 1; }

  static void place(std::vector<Slot>& slots, std::uint32_t hash, std::uint32_t flow) {
    std::size_t at = hash & (slots.size() - 1);
    while (slots[at].flow != kNone)
      at = (at + 1) & (slots.size() - 1);
    slots[at] = {hash, flow};
  }

  void grow() {
    std::vector<Slot> wider(slots_.size() * 2);
    for (const Slot& slot : slots_) {
      if (slot.flow != kNone) place(wider, slot.hash, slot.flow);
    }
    slots_.swap(wider);
  }

  std::vector<Slot> slots_;  // a power of two, at most half full
  std::size_t size_ = 0;
};

}  // namespace beaconry
