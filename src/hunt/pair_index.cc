#include "hunt/pair_index.h"

#include <absl/container/flat_hash_map.h>

#include <algorithm>
#include <tuple>

namespace beaconry {

// Two passes: count the legs of each group, then lay them out one group after the other.
template <class Key>
void PairIndex::group(const SeriesStore& store, PairKind kind, Key key,
                      std::vector<std::uint32_t>& of_leg) {
  const auto legs = store.legs();
  absl::flat_hash_map<decltype(key(legs[0])), std::uint32_t> ids;
  ids.reserve(legs.size());
  const std::size_t first_group = groups_.size();
  of_leg.assign(legs.size(), kNone);
  for (SeriesStore::LegId leg = 0; leg < legs.size(); ++leg) {
    if (legs[leg].check_ins == 0) continue;
    if (kind == PairKind::named && legs[leg].name == 0) continue;
    const auto [entry, fresh] =
        ids.try_emplace(key(legs[leg]), static_cast<std::uint32_t>(groups_.size()));
    if (fresh) groups_.push_back({kind, 0, 0, 0, 0});
    of_leg[leg] = entry->second;
    ++groups_[entry->second].count;
    groups_[entry->second].check_ins += legs[leg].check_ins;
    groups_[entry->second].connections += legs[leg].connections;
  }
  auto next = static_cast<std::uint32_t>(legs_.size());
  for (std::size_t g = first_group; g < groups_.size(); ++g) {
    groups_[g].begin = next;
    next += groups_[g].count;
    groups_[g].count = 0;
  }
  legs_.resize(next);
  for (SeriesStore::LegId leg = 0; leg < legs.size(); ++leg) {
    if (of_leg[leg] == kNone) continue;
    Group& g = groups_[of_leg[leg]];
    legs_[g.begin + g.count++] = leg;
  }
  for (std::size_t g = first_group; g < groups_.size(); ++g) {
    if (groups_[g].count < 2) continue;
    const auto begin = legs_.begin() + groups_[g].begin;
    std::sort(begin, begin + groups_[g].count, [&](SeriesStore::LegId a, SeriesStore::LegId b) {
      if (legs[a].connections != legs[b].connections) {
        return legs[a].connections > legs[b].connections;
      }
      // An order that does not depend on the reading.
      if (legs[a].pair != legs[b].pair) return legs[a].pair < legs[b].pair;
      return store.name(legs[a].name) < store.name(legs[b].name);
    });
  }
}

PairIndex::PairIndex(const SeriesStore& store) {
  group(
      store, PairKind::address, [](const Leg& leg) { return leg.pair; }, address_group_);
  address_pairs_ = groups_.size();
  group(
      store, PairKind::named,
      [](const Leg& leg) {
        return std::make_tuple(leg.pair.source, leg.name, leg.pair.port, leg.pair.protocol);
      },
      named_group_);
}

}  // namespace beaconry
