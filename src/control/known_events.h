#pragma once
#include <absl/container/flat_hash_set.h>

#include <array>
#include <cstdint>
#include <string_view>

namespace beaconry {

// Which events are kept, by edge and uuid, in 16 bytes each: a question costs no look-up on disk.
// Two of one id are taken for one; with 128 bits that no sender chooses it does not happen. One
// caller at a time.
class KnownEvents {
 public:
  using Id = std::array<std::uint64_t, 2>;
  static Id id_of(std::string_view edge, std::string_view uuid) {
    return {absl::HashOf(edge, uuid, 1), absl::HashOf(uuid, edge, 2)};
  }

  bool add(const Id& id) { return ids_.insert(id).second; }  // false: it is there
  bool add(std::string_view edge, std::string_view uuid) { return add(id_of(edge, uuid)); }
  void remove(const Id& id) { ids_.erase(id); }
  std::size_t size() const { return ids_.size(); }

 private:
  absl::flat_hash_set<Id> ids_;
};

}  // namespace beaconry
