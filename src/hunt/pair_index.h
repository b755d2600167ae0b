#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "hunt/scored_pair.h"
#include "series/series_store.h"

namespace beaconry {

// One pair as the legs that it is made of, the busiest first.
struct PairLegs {
  PairKind kind = PairKind::address;
  std::span<const SeriesStore::LegId> legs;
  std::uint64_t connections = 0;  // of all legs: does not depend on how they were read

  const SeriesLeg& busiest(const SeriesStore& store) const { return store.legs()[legs[0]]; }
};

// The busiest first, in an order that does not depend on the reading.
void sort_busiest_first(const SeriesStore& store, std::span<SeriesStore::LegId> legs);

// The pairs of a store: for each the legs that it is made of. Holds numbers only, of legs as they
// were when it was made.
class PairIndex {
 public:
  struct Group {
    PairKind kind = PairKind::address;
    std::uint32_t begin = 0, count = 0;  // into the list of legs
    std::uint32_t check_ins = 0;         // stored in all legs, an upper bound of the gathered ones
    std::uint64_t connections = 0;
  };

  explicit PairIndex(const SeriesStore& store);

  std::span<const Group> groups() const { return groups_; }  // address pairs first, then named ones
  std::size_t address_pairs() const { return address_pairs_; }
  // The legs of a group, the busiest first.
  std::span<const SeriesStore::LegId> legs(const Group& group) const {
    return std::span(legs_).subspan(group.begin, group.count);
  }
  PairLegs pair(std::uint32_t group) const {
    const Group& g = groups_[group];
    return {g.kind, legs(g), g.connections};
  }
  // The address pair that a leg belongs to; kNone for legs that were not there yet.
  static constexpr std::uint32_t kNone = 0xffffffff;
  std::uint32_t address_group(SeriesStore::LegId leg) const {
    return leg < address_group_.size() ? address_group_[leg] : kNone;
  }

 private:
  template <class Named, class Hash, class Same>
  void group(const SeriesStore& store, PairKind kind, const Named& takes, const Hash& hash,
             const Same& same, std::vector<std::uint32_t>& of_leg);

  std::vector<Group> groups_;
  std::vector<SeriesStore::LegId> legs_;
  std::vector<std::uint32_t> address_group_;
  std::size_t address_pairs_ = 0;
};

}  // namespace beaconry
