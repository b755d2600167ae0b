#include "series/check_in_log.h"

#include <algorithm>
#include <cstring>
#include <iterator>

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

}  // namespace

CheckInLog::CheckInLog() = default;

std::uint32_t CheckInLog::allocate(std::size_t capacity, bool first) {
  const std::size_t units = (sizeof(Header) + capacity) / kUnit;
  if (slabs_.empty() || used_units_ + units > kSlabUnits) {
    // Zeroed only where blocks are handed out: untouched pages of a slab cost nothing.
    slabs_.emplace_back(new std::uint64_t[kSlabUnits]);
    used_units_ = slabs_.size() == 1 ? 1 : 0;
  }
  const auto block = static_cast<std::uint32_t>((slabs_.size() - 1) * kSlabUnits + used_units_);
  used_units_ += units;
  Header& h = header(block);
  h.next = 0;
  h.used = 0;
  h.capacity = static_cast<std::uint16_t>(capacity & 0x7fff);
  h.first = first ? 1 : 0;
  return block;
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
    const std::uint32_t block = allocate(std::max(capacity, (length + 7) / 8 * 8), chain.tail == 0);
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
  other.slabs_.clear();
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

void CheckInLog::decode(const Chain& chain, std::vector<CheckIn>& out) const {
  std::int64_t ms = 0;
  for (std::uint32_t block = chain.head; block != 0; block += header(block).next) {
    if (header(block).first != 0) ms = 0;
    const std::uint8_t* in = payload(block);
    const std::uint8_t* end = in + (block == chain.tail ? chain.tail_used : header(block).used);
    while (in < end) {
      CheckIn check_in;
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
      out.push_back(check_in);
    }
    if (block == chain.tail) break;
  }
}

std::size_t CheckInLog::memory_bytes() const {
  if (slabs_.empty()) return 0;
  return ((slabs_.size() - 1) * kSlabUnits + used_units_) * kUnit;
}

}  // namespace beaconry
