#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/hash_index.h"
#include "base/ip_address.h"
#include "base/paged_vector.h"
#include "base/time.h"
#include "series/name_table.h"

namespace beaconry {

// The latest name of each address: of hosts by DHCP, of destinations by DNS answers. Bounded, since
// peers choose what is asked for. Not thread-safe. The table of names outlives it.
class AddressNames {
 public:
  explicit AddressNames(NameTable& names) : names_(names) {}

  void put(const IpAddress& address, std::string_view name, Timestamp time);
  std::string_view find(const IpAddress& address) const;  // empty: not known
  void absorb(const AddressNames& other);

  // Forgets names last given before `from`, of `count` entries from `first` on. Returns where to go
  // on; entries() and more: done.
  std::size_t expire(Timestamp from, std::size_t first, std::size_t count);
  std::size_t entries() const { return entries_.size(); }
  std::size_t memory_bytes() const { return entries_.memory_bytes() + index_.memory_bytes(); }

 private:
  struct Entry {
    IpAddress address;
    NameTable::Id name = 0;  // 0: nobody's
    Timestamp time{};
  };
  std::uint32_t number_of(const IpAddress& address, std::uint32_t hash) const;

  NameTable& names_;
  PagedVector<Entry> entries_;
  std::vector<std::uint32_t> free_;
  HashIndex index_;
};

}  // namespace beaconry
