#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "series/check_in.h"

namespace beaconry {

// The check-ins of many series, each encoded in 7 to 9 bytes as a rule: the time as a difference,
// the sizes as variable-length integers. A series is a chain of blocks that grow with it, so
// that at most about an eighth is slack. Append only; not thread-safe.
//
// One check-in: varint(time difference in ms << 1 | flagged), if flagged a byte of flags, if
// gathered varint(connections) varint(span in ms), then varint(bytes_out + 1) and
// varint(bytes_in + 1), 0 meaning unknown.
class CheckInLog {
 public:
  // Where a series stands. A value-initialised one is empty.
  struct Chain {
    std::uint32_t head = 0;  // block numbers; 0: none
    std::uint32_t tail = 0;
    std::uint16_t tail_used = 0;
    std::uint32_t bytes = 0;   // encoded, over all blocks
    std::int64_t last_ms = 0;  // time of the last check-in appended
  };

  CheckInLog();
  void append(Chain& chain, const CheckIn& check_in);
  void decode(const Chain& chain, std::vector<CheckIn>& out) const;  // appends, in order of append
  void fetch(const Chain& chain) const {  // brings the place of the next append into the cache
    if (chain.tail != 0) __builtin_prefetch(payload(chain.tail) + chain.tail_used);
  }
  std::size_t memory_bytes() const;

 private:
  static constexpr std::size_t kUnit = 8;             // blocks are addressed in units
  static constexpr std::size_t kSlabUnits = 1 << 15;  // 256 KiB a slab
  struct Header {
    std::uint32_t next;
    std::uint16_t used;
    std::uint16_t capacity;
  };

  std::uint32_t allocate(std::size_t capacity);
  std::uint8_t* payload(std::uint32_t block) const { return at(block) + sizeof(Header); }
  Header& header(std::uint32_t block) const { return *reinterpret_cast<Header*>(at(block)); }
  std::uint8_t* at(std::uint32_t block) const {
    return reinterpret_cast<std::uint8_t*>(slabs_[block / kSlabUnits].get() + block % kSlabUnits);
  }

  std::vector<std::unique_ptr<std::uint64_t[]>> slabs_;
  std::size_t used_units_ = 1;  // of the last slab; unit 0 of the first is nobody's
};

}  // namespace beaconry
