#include "home/sightings.h"

#include <sodium.h>

#include <algorithm>
#include <cstring>
#include <limits>

namespace beaconry {

static_assert(crypto_shorthash_KEYBYTES == 16 && crypto_shorthash_BYTES == 8);

Sightings::Sightings() : table_(kSets * kWays) {
  randombytes_buf(secret_.data(), secret_.size());
}

std::uint64_t Sightings::key_of(ByteView sealed) const {
  std::array<std::uint8_t, crypto_shorthash_BYTES> hash;
  crypto_shorthash(hash.data(), sealed.data(), sealed.size(), secret_.data());
  std::uint64_t key;
  std::memcpy(&key, hash.data(), sizeof key);
  return std::max<std::uint64_t>(key, 1);
}

Sightings::Seen Sightings::add(ByteView sealed, std::size_t receiver, Timestamp now) {
  const std::uint64_t key = key_of(sealed);
  Sighting* const set = &table_[key % kSets * kWays];
  Sighting* found = std::find_if(set, set + kWays, [&](const Sighting& one) {
    return one.key == key && now - one.last <= kMemory;
  });
  if (found == set + kWays) {
    found = std::min_element(set, set + kWays,
                             [](const Sighting& a, const Sighting& b) { return a.last < b.last; });
    *found = Sighting{};
    found->key = key;
  }
  found->last = now;
  std::uint16_t& count = found->counts[receiver];
  if (count == std::numeric_limits<std::uint16_t>::max()) return {*found, true};
  ++count;
  const bool is_new = count > found->packets;
  if (is_new) ++found->packets;
  return {*found, is_new};
}

}  // namespace beaconry
