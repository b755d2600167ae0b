#pragma once
#include <array>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_set>

namespace beaconry {

// The newest so many uuids, each with whose it is: what came before comes again after every broken
// connection. Bounded; an older one counts once at the server all the same.
class SeenEvents {
 public:
  explicit SeenEvents(std::size_t most = 1 << 16) : most_(most) {}
  bool has(std::string_view instance, std::string_view uuid) const;
  void add(std::string_view instance, std::string_view uuid);
  std::size_t size() const { return keys_.size(); }

 private:
  using Key = std::array<std::uint64_t, 3>;
  struct Hash {
    std::size_t operator()(const Key& key) const {
      return static_cast<std::size_t>(key[0] ^ (key[1] * 0x9e3779b97f4a7c15ULL) ^ key[2]);
    }
  };
  static Key key_of(std::string_view instance, std::string_view uuid);

  std::size_t most_;
  std::unordered_set<Key, Hash> keys_;
  std::deque<Key> order_;
};

}  // namespace beaconry
