#pragma once
#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace beaconry {

// Every distinct name once, known by a small number. 0 is the empty name. Peers choose names: who
// keeps a number says so by use(), and by release() that it is no longer kept; a name that nobody
// keeps any more is forgotten and its number given to another. Not thread-safe.
class NameTable {
 public:
  using Id = std::uint32_t;

  NameTable();
  Id intern(std::string_view name);  // good until the next release() of it, unless use()d
  void use(Id id) { ++names_[id].uses; }
  void release(Id id);  // REQUIRES an earlier use()
  std::string_view name(Id id) const { return names_[id].text; }
  std::size_t size() const { return names_.size(); }  // numbers are below it
  std::size_t memory_bytes() const { return memory_bytes_; }

 private:
  struct Entry {
    std::string text;
    std::uint32_t uses = 0;
  };
  std::deque<Entry> names_;  // stable addresses: the map's keys look into it
  std::vector<Id> free_;
  absl::flat_hash_map<std::string_view, Id> ids_;
  std::size_t memory_bytes_ = 0;
};

}  // namespace beaconry
