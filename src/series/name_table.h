#pragma once
#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace beaconry {

// Every distinct name once, known by a small number. 0 is the empty name. Not thread-safe.
class NameTable {
 public:
  using Id = std::uint32_t;

  NameTable();
  Id intern(std::string_view name);
  std::string_view name(Id id) const { return names_[id]; }
  std::size_t size() const { return names_.size(); }
  std::size_t memory_bytes() const { return memory_bytes_; }

 private:
  std::deque<std::string> names_;  // stable addresses: the map's keys look into it
  absl::flat_hash_map<std::string_view, Id> ids_;
  std::size_t memory_bytes_ = 0;
};

}  // namespace beaconry
