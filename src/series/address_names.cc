#include "series/address_names.h"

#include <absl/hash/hash.h>

#include <algorithm>

namespace beaconry {
namespace {

constexpr std::size_t kMostAddresses = 1'000'000;

std::uint32_t hash_of(const IpAddress& address) {
  return static_cast<std::uint32_t>(absl::HashOf(address));
}

}  // namespace

std::uint32_t AddressNames::number_of(const IpAddress& address, std::uint32_t hash) const {
  return index_.find(hash, [&](std::uint32_t n) { return entries_[n].address == address; });
}

void AddressNames::put(const IpAddress& address, std::string_view name, Timestamp time) {
  if (name.empty()) return;
  const std::uint32_t hash = hash_of(address);
  std::uint32_t number = number_of(address, hash);
  if (number != HashIndex::kNone) {
    if (entries_[number].time > time) return;
  } else {
    if (index_.size() >= kMostAddresses) return;
    if (free_.empty()) {
      number = static_cast<std::uint32_t>(entries_.size());
      entries_.emplace_back();
    } else {
      number = free_.back();
      free_.pop_back();
    }
    index_.insert(hash, number);
    entries_[number].address = address;
  }
  Entry& entry = entries_[number];
  const NameTable::Id before = entry.name;
  entry.name = names_.intern(name);
  entry.time = time;
  names_.use(entry.name);
  if (before != 0) names_.release(before);
}

std::string_view AddressNames::find(const IpAddress& address) const {
  const std::uint32_t number = number_of(address, hash_of(address));
  return number == HashIndex::kNone ? std::string_view{} : names_.name(entries_[number].name);
}

void AddressNames::absorb(const AddressNames& other) {
  for (const Entry& entry : other.entries_) {
    if (entry.name != 0) put(entry.address, other.names_.name(entry.name), entry.time);
  }
}

std::size_t AddressNames::expire(Timestamp from, std::size_t first, std::size_t count) {
  const std::size_t end = std::min(entries_.size(), first + count);
  for (std::size_t i = first; i < end; ++i) {
    Entry& entry = entries_[i];
    if (entry.name == 0 || entry.time >= from) continue;
    const auto number = static_cast<std::uint32_t>(i);
    index_.erase(hash_of(entry.address), number);
    names_.release(entry.name);
    entry.name = 0;
    free_.push_back(number);
  }
  return first + count;
}

}  // namespace beaconry
