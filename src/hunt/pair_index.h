#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "hunt/scored_pair.h"
#include "series/series_store.h"

namespace beaconry {

// The pairs of a store: for each the legs that it is made of.
class PairIndex {
 public:
  struct Group {
    PairKind kind = PairKind::address;
    std::uint32_t begin = 0, count = 0;  // into the list of legs
    std::uint64_t connections = 0;       // of all legs: does not depend on how they were read
    std::uint64_t check_ins = 0;         // stored in all legs, an upper bound of the gathered ones
  };

  explicit PairIndex(const SeriesStore& store);

  std::span<const Group> groups() const { return groups_; }  // address pairs first, then named ones
  std::size_t address_pairs() const { return address_pairs_; }
  // The legs of a group, the busiest first.
  std::span<const SeriesStore::LegId> legs(const Group& group) const {
    return std::span(legs_).subspan(group.begin, group.count);
  }
  // The address pair that a leg belongs to, and its named pair; kNone where the leg has no name.
  static constexpr std::uint32_t kNone = 0xffffffff;
  std::uint32_t address_group(SeriesStore::LegId leg) const { return address_group_[leg]; }
  std::uint32_t named_group(SeriesStore::LegId leg) const { return named_group_[leg]; }

 private:
  template <class Key>
  void group(const SeriesStore& store, PairKind kind, Key key, std::vector<std::uint32_t>& of_leg);

  std::vector<Group> groups_;
  std::vector<SeriesStore::LegId> legs_;
  std::vector<std::uint32_t> address_group_, named_group_;
  std::size_t address_pairs_ = 0;
};

}  // namespace beaconry
