#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "series/check_in.h"

namespace beaconry {

// The check-ins of many series, each encoded in 7 to 9 bytes as a rule: the time as a difference,
// the sizes as variable-length integers. A series is a chain of blocks that grow with it, so
// that at most about an eighth is slack. Appended at the end, dropped from the beginning; the
// blocks of what was dropped are used again. Not thread-safe.
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
    std::uint32_t bytes = 0;  // encoded and not dropped, over all blocks
    std::uint16_t tail_used = 0;
    std::uint16_t head_skip = 0;  // dropped bytes of the first block
    std::int64_t base_ms = 0;     // what the first time counts from
    std::int64_t last_ms = 0;     // time of the last check-in appended
  };
  // What drop_before() took away.
  struct Dropped {
    std::uint64_t check_ins = 0, connections = 0;
  };

  CheckInLog();
  void append(Chain& chain, const CheckIn& check_in);
  // Takes over all blocks of another log, which is empty afterwards. Returns their place, for
  // append().
  std::uint32_t adopt(CheckInLog& other);
  // Appends the series `theirs` of an adopted log to `chain`. REQUIRES: nothing of it was dropped.
  void append(Chain& chain, Chain theirs, std::uint32_t adopted);
  void decode(const Chain& chain, std::vector<CheckIn>& out) const;  // appends, in order of append
  Timestamp first(const Chain& chain, Timestamp if_empty) const;     // time of the first in order
  void fetch(const Chain& chain) const {  // brings the place of the next append into the cache
    if (chain.tail != 0) __builtin_prefetch(payload(chain.tail) + chain.tail_used);
  }
  // Drops check-ins from the beginning up to the first that is not before `from`.
  Dropped drop_before(Chain& chain, Timestamp from);
  void drop_all(Chain& chain);
  std::size_t memory_bytes() const;
  std::size_t used_bytes() const { return memory_bytes() - free_bytes_; }

 private:
  static constexpr std::size_t kUnit = 8;             // blocks are addressed in units
  static constexpr std::size_t kSlabUnits = 1 << 15;  // 256 KiB a slab
  static constexpr std::size_t kSizes = 256;          // of blocks, in units
  // `next` is counted from the block itself, so that blocks can move as a whole. In the first block
  // of a series the first time counts from zero, also when the series was appended to another.
  struct Header {
    std::uint32_t next;
    std::uint16_t used;
    std::uint16_t capacity : 15;
    std::uint16_t first : 1;
  };

  std::uint32_t allocate(std::size_t capacity, std::size_t least, bool first);
  std::uint32_t reuse(std::size_t capacity, std::size_t least);
  std::uint32_t carve(std::size_t capacity);
  void free(std::uint32_t block);
  std::size_t end_of(const Chain& chain, std::uint32_t block) const {
    return block == chain.tail ? chain.tail_used : header(block).used;
  }
  std::uint8_t* payload(std::uint32_t block) const { return at(block) + sizeof(Header); }
  Header& header(std::uint32_t block) const { return *reinterpret_cast<Header*>(at(block)); }
  std::uint8_t* at(std::uint32_t block) const {
    return reinterpret_cast<std::uint8_t*>(slabs_[block / kSlabUnits].get() + block % kSlabUnits);
  }

  std::vector<std::unique_ptr<std::uint64_t[]>> slabs_;
  std::size_t used_units_ = 1;                // of the last slab; unit 0 of the first is nobody's
  std::array<std::uint32_t, kSizes> free_{};  // first free block of each capacity; 0: none
  std::size_t free_bytes_ = 0;                // with headers
};

}  // namespace beaconry
