#include "series/check_in_log.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <utility>

namespace beaconry {
namespace {

constexpr std::size_t kLongestCheckIn = 5 * 10 + 1;  // five varints of 64 bits and the flags
constexpr std::size_t kLeastCapacity = 24;
constexpr std::size_t kMostCapacity = 2040;

// What a check-in is beside a plain one that comes after its predecessor.
constexpr std::uint8_t kEarlier = 1;  // the time difference is negative
constexpr std::uint8_t kInsideFlow = 2;
constexpr std::uint8_t kGathered = 4;  // connections and span follow

std::uint8_t* put(std::uint8_t* out, std::uint64_t value) {
  while (value >= 0x80) {
    *out++ = static_cast<std::uint8_t>(value | 0x80);
    value >>= 7;
  }
  *out++ = static_cast<std::uint8_t>(value);
  return out;
}

const std::uint8_t* get(const std::uint8_t* in, std::uint64_t& value) {
  value = 0;
  for (unsigned shift = 0;; shift += 7) {
    const std::uint8_t byte = *in++;
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return in;
  }
}

std::int64_t to_ms(Duration length) {
  return length.count() / 1000;
}

// One check-in that begins at `in`; `ms` is the time of the one before it and becomes its own.
const std::uint8_t* read(const std::uint8_t* in, std::int64_t& ms, CheckIn& check_in) {
  std::uint64_t value = 0;
  in = get(in, value);
  const std::uint8_t flags = (value & 1) != 0 ? *in++ : std::uint8_t{0};
  const auto distance = static_cast<std::int64_t>(value >> 1);
  ms += (flags & kEarlier) != 0 ? -distance : distance;
  check_in.time = Timestamp{std::chrono::milliseconds{ms}};
  check_in.inside_flow = (flags & kInsideFlow) != 0;
  if ((flags & kGathered) != 0) {
    in = get(in, value);
    check_in.connections = static_cast<std::uint32_t>(value);
    in = get(in, value);
    check_in.span = std::chrono::milliseconds{static_cast<std::int64_t>(value)};
  }
  in = get(in, value);
  check_in.bytes_out = value - 1;
  in = get(in, value);
  check_in.bytes_in = value - 1;
  return in;
}

}  // namespace

CheckInLog::CheckInLog() = default;

// A block that was freed, with room for `least` bytes and, if there is one, for `capacity`. What is
// too large is divided.
std::uint32_t CheckInLog::reuse(std::size_t capacity, std::size_t least) {
  if (free_bytes_ == 0) return 0;
  std::size_t size = capacity / kUnit;
  while (size < kSizes && free_[size] == 0)
    ++size;
  if (size == kSizes) {  // only smaller ones
    size = capacity / kUnit;
    while (size * kUnit >= least && free_[size] == 0)
      --size;
    if (size * kUnit < least) return 0;
  }
  const std::uint32_t block = free_[size];
  Header& h = header(block);
  free_[size] = h.next;
  free_bytes_ -= sizeof(Header) + h.capacity;
  const std::size_t rest = h.capacity > capacity ? h.capacity - capacity : 0;
  if (rest >= sizeof(Header) + kLeastCapacity) {
    h.capacity = static_cast<std::uint16_t>(capacity & 0x7fff);
    const auto second = block + static_cast<std::uint32_t>((sizeof(Header) + capacity) / kUnit);
    header(second).capacity = static_cast<std::uint16_t>((rest - sizeof(Header)) & 0x7fff);
    free(second);
  }
  return block;
}

std::uint32_t CheckInLog::carve(std::size_t capacity) {
  const std::size_t units = (sizeof(Header) + capacity) / kUnit;
  if (slabs_.empty() || used_units_ + units > kSlabUnits) {
    // Zeroed only where blocks are handed out: untouched pages of a slab cost nothing.
    slabs_.emplace_back(new std::uint64_t[kSlabUnits]);
    used_units_ = slabs_.size() == 1 ? 1 : 0;
  }
  const auto block = static_cast<std::uint32_t>((slabs_.size() - 1) * kSlabUnits + used_units_);
  used_units_ += units;
  header(block).capacity = static_cast<std::uint16_t>(capacity & 0x7fff);
  return block;
}

std::uint32_t CheckInLog::allocate(std::size_t capacity, std::size_t least, bool first) {
  std::uint32_t block = reuse(capacity, least);
  if (block == 0) block = carve(capacity);
  Header& h = header(block);
  h.next = 0;
  h.used = 0;
  h.first = first ? 1 : 0;
  return block;
}

void CheckInLog::free(std::uint32_t block) {
  Header& h = header(block);
  std::uint32_t& list = free_[h.capacity / kUnit];
  h.next = list;
  list = block;
  free_bytes_ += sizeof(Header) + h.capacity;
}

void CheckInLog::append(Chain& chain, const CheckIn& check_in) {
  const std::int64_t ms = to_ms(check_in.time.time_since_epoch());
  const std::int64_t difference = ms - chain.last_ms;
  const bool gathered = check_in.connections != 1 || check_in.span != Duration{0};
  const auto flags = static_cast<std::uint8_t>((difference < 0 ? kEarlier : 0) |
                                               (check_in.inside_flow ? kInsideFlow : 0) |
                                               (gathered ? kGathered : 0));
  std::uint8_t encoded[kLongestCheckIn];
  const auto distance = static_cast<std::uint64_t>(difference < 0 ? -difference : difference);
  std::uint8_t* end = put(encoded, distance << 1 | (flags != 0 ? 1U : 0U));
  if (flags != 0) *end++ = flags;
  if (gathered) {
    end = put(end, check_in.connections);
    end = put(end, static_cast<std::uint64_t>(to_ms(check_in.span)));
  }
  end = put(end, check_in.bytes_out + 1);
  end = put(end, check_in.bytes_in + 1);
  const auto length = static_cast<std::size_t>(end - encoded);
  chain.last_ms = ms;
  chain.bytes += static_cast<std::uint32_t>(length);

  if (chain.tail == 0 || chain.tail_used + length > header(chain.tail).capacity) {
    const std::size_t wanted = std::max(length, std::size_t{chain.bytes} / 6);
    const std::size_t capacity =
        std::clamp((wanted + kUnit - 1) / kUnit * kUnit, kLeastCapacity, kMostCapacity);
    const std::uint32_t block = allocate(capacity, length, chain.tail == 0);
    if (chain.tail == 0) {
      chain.head = block;
    } else {
      header(chain.tail).next = block - chain.tail;
      header(chain.tail).used = chain.tail_used;
    }
    chain.tail = block;
    chain.tail_used = 0;
  }
  std::memcpy(payload(chain.tail) + chain.tail_used, encoded, length);
  chain.tail_used = static_cast<std::uint16_t>(chain.tail_used + length);
}

std::uint32_t CheckInLog::adopt(CheckInLog& other) {
  const auto place = static_cast<std::uint32_t>(slabs_.size() * kSlabUnits);
  if (other.slabs_.empty()) return place;
  std::move(other.slabs_.begin(), other.slabs_.end(), std::back_inserter(slabs_));
  used_units_ = other.used_units_;
  for (std::uint32_t theirs : other.free_) {
    while (theirs != 0) {
      const std::uint32_t block = theirs + place;
      theirs = header(block).next;
      free(block);
    }
  }
  other.slabs_.clear();
  other.free_.fill(0);
  other.free_bytes_ = 0;
  other.used_units_ = 1;
  return place;
}

void CheckInLog::append(Chain& chain, Chain theirs, std::uint32_t adopted) {
  if (theirs.tail == 0) return;
  theirs.head += adopted;
  theirs.tail += adopted;
  if (chain.tail == 0) {
    chain = theirs;
    return;
  }
  header(chain.tail).next = theirs.head - chain.tail;
  header(chain.tail).used = chain.tail_used;
  theirs.head = chain.head;
  theirs.bytes += chain.bytes;
  chain = theirs;
}

CheckInLog::Dropped CheckInLog::drop_before(Chain& chain, Timestamp from) {
  Dropped dropped;
  while (chain.head != 0) {
    const std::uint8_t* block = payload(chain.head);
    const std::uint8_t* const end = block + end_of(chain, chain.head);
    const std::uint8_t* in = block + chain.head_skip;
    while (in < end) {
      CheckIn check_in;
      std::int64_t ms = chain.base_ms;
      const std::uint8_t* const next = read(in, ms, check_in);
      if (check_in.time >= from) return dropped;
      ++dropped.check_ins;
      dropped.connections += check_in.connections;
      chain.base_ms = ms;
      chain.bytes -= static_cast<std::uint32_t>(next - in);
      chain.head_skip = static_cast<std::uint16_t>(next - block);
      in = next;
    }
    if (chain.head == chain.tail) {
      drop_all(chain);
      break;
    }
    const std::uint32_t next = chain.head + header(chain.head).next;
    free(chain.head);
    chain.head = next;
    chain.head_skip = 0;
    if (header(next).first != 0) chain.base_ms = 0;
  }
  return dropped;
}

void CheckInLog::drop_all(Chain& chain) {
  for (std::uint32_t block = chain.head; block != 0;) {
    const std::uint32_t next = block == chain.tail ? 0 : block + header(block).next;
    free(block);
    block = next;
  }
  chain = Chain{};
}

void CheckInLog::decode(const Chain& chain, std::vector<CheckIn>& out) const {
  std::int64_t ms = chain.base_ms;
  std::size_t skip = chain.head_skip;
  for (std::uint32_t block = chain.head; block != 0; block += header(block).next) {
    if (block != chain.head && header(block).first != 0) ms = 0;
    const std::uint8_t* in = payload(block) + std::exchange(skip, 0);
    const std::uint8_t* const end = payload(block) + end_of(chain, block);
    while (in < end)
      in = read(in, ms, out.emplace_back());
    if (block == chain.tail) break;
  }
}

Timestamp CheckInLog::first(const Chain& chain, Timestamp if_empty) const {
  if (chain.head == 0) return if_empty;
  CheckIn check_in;
  std::int64_t ms = chain.base_ms;
  read(payload(chain.head) + chain.head_skip, ms, check_in);
  return check_in.time;
}

std::size_t CheckInLog::memory_bytes() const {
  if (slabs_.empty()) return 0;
  return ((slabs_.size() - 1) * kSlabUnits + used_units_) * kUnit;
}

}  // namespace beaconry
