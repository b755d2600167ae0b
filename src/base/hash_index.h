#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace beaconry {

// Finds the number of a thing by its hash: open addressing with linear probing. Keys stay with the
// things, so a look-up touches one line here and one there; growing needs the hashes alone.
class HashIndex {
 public:
  static constexpr std::uint32_t kNone = 0xffffffff;

  HashIndex() : slots_(kLeastSlots) {}

  // The number with this hash of which `is_it` is true, or kNone.
  template <class IsIt>
  std::uint32_t find(std::uint32_t hash, const IsIt& is_it) const {
    for (std::size_t at = hash & mask();; at = (at + 1) & mask()) {
      const Slot& slot = slots_[at];
      if (slot.number == kNone) return kNone;
      if (slot.hash == hash && is_it(slot.number)) return slot.number;
    }
  }

  // For look-ups that are known a little ahead: fetch() brings the place of a hash into the cache,
  // and guess() then names the number that probably has it, or kNone.
  void fetch(std::uint32_t hash) const { __builtin_prefetch(&slots_[hash & mask()]); }
  std::uint32_t guess(std::uint32_t hash) const {
    const Slot& slot = slots_[hash & mask()];
    return slot.hash == hash ? slot.number : kNone;
  }

  // REQUIRES: the number is not in the index.
  void insert(std::uint32_t hash, std::uint32_t number) {
    if ((size_ + 1) * 2 > slots_.size()) grow();
    place(slots_, hash, number);
    ++size_;
  }

  // REQUIRES: the number is in the index under this hash.
  void erase(std::uint32_t hash, std::uint32_t number) {
    std::size_t hole = hash & mask();
    while (slots_[hole].number != number)
      hole = (hole + 1) & mask();
    // What follows moves up unless that would put it before its own place, so that no tombstones
    // are left.
    for (std::size_t at = (hole + 1) & mask(); slots_[at].number != kNone; at = (at + 1) & mask()) {
      const std::size_t from_home = (at - slots_[at].hash) & mask();
      if (from_home >= ((at - hole) & mask())) {
        slots_[hole] = slots_[at];
        hole = at;
      }
    }
    slots_[hole].number = kNone;
    --size_;
  }

  void clear() {
    slots_.assign(kLeastSlots, Slot{});
    size_ = 0;
  }

  std::size_t size() const { return size_; }
  std::size_t memory_bytes() const { return slots_.capacity() * sizeof(Slot); }

 private:
  struct Slot {
    std::uint32_t hash = 0;
    std::uint32_t number = kNone;
  };
  static constexpr std::size_t kLeastSlots = 1024;

  std::size_t mask() const { return slots_.size() - 1; }

  static void place(std::vector<Slot>& slots, std::uint32_t hash, std::uint32_t number) {
    std::size_t at = hash & (slots.size() - 1);
    while (slots[at].number != kNone)
      at = (at + 1) & (slots.size() - 1);
    slots[at] = {hash, number};
  }

  void grow() {
    std::vector<Slot> wider(slots_.size() * 2);
    for (const Slot& slot : slots_) {
      if (slot.number != kNone) place(wider, slot.hash, slot.number);
    }
    slots_.swap(wider);
  }

  std::vector<Slot> slots_;  // a power of two, at most half full
  std::size_t size_ = 0;
};

}  // namespace beaconry
