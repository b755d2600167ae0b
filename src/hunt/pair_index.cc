#include "hunt/pair_index.h"

#include <absl/hash/hash.h>

#include <algorithm>

#include "base/hash_index.h"

namespace beaconry {

void sort_busiest_first(const SeriesStore& store, std::span<SeriesStore::LegId> ids) {
  const auto& legs = store.legs();
  std::sort(ids.begin(), ids.end(), [&](SeriesStore::LegId a, SeriesStore::LegId b) {
    if (legs[a].connections != legs[b].connections) {
      return legs[a].connections > legs[b].connections;
    }
    if (legs[a].pair != legs[b].pair) return legs[a].pair < legs[b].pair;
    return store.name(legs[a].name) < store.name(legs[b].name);
  });
}

// Two passes: count the legs of each group, then lay them out one group after the other. Memory
// matters here: this is done beside everything that a live hunt holds.
template <class Named, class Hash, class Same>
void PairIndex::group(const SeriesStore& store, PairKind kind, const Named& takes, const Hash& hash,
                      const Same& same, std::vector<std::uint32_t>& of_leg) {
  const auto& legs = store.legs();
  const std::size_t first_group = groups_.size();
  of_leg.assign(legs.size(), kNone);
  {
    HashIndex ids;  // group -> where `begin` names its first leg until the groups are laid out
    for (SeriesStore::LegId leg = 0; leg < legs.size(); ++leg) {
      if (legs[leg].check_ins == 0 || !takes(legs[leg])) continue;
      const auto h = static_cast<std::uint32_t>(hash(legs[leg]));
      std::uint32_t id =
          ids.find(h, [&](std::uint32_t g) { return same(legs[groups_[g].begin], legs[leg]); });
      if (id == HashIndex::kNone) {
        id = static_cast<std::uint32_t>(groups_.size());
        ids.insert(h, id);
        groups_.push_back({kind, leg, 0, 0, 0});
      }
      of_leg[leg] = id;
      ++groups_[id].count;
      groups_[id].check_ins += legs[leg].check_ins;
      groups_[id].connections += legs[leg].connections;
    }
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
    sort_busiest_first(store, std::span(legs_).subspan(groups_[g].begin, groups_[g].count));
  }
}

PairIndex::PairIndex(const SeriesStore& store) {
  std::size_t named_legs = 0;
  for (const SeriesLeg& leg : store.legs())
    named_legs += leg.check_ins != 0 && leg.name != 0 ? 1 : 0;
  groups_.reserve(store.leg_count());  // as many address pairs at most; more where names are many
  legs_.reserve(store.leg_count() + named_legs);
  group(
      store, PairKind::address, [](const SeriesLeg&) { return true; },
      [](const SeriesLeg& leg) { return absl::HashOf(leg.pair); },
      [](const SeriesLeg& a, const SeriesLeg& b) { return a.pair == b.pair; }, address_group_);
  address_pairs_ = groups_.size();
  if (named_legs == 0) return;
  std::vector<std::uint32_t> of_leg;
  group(
      store, PairKind::named, [](const SeriesLeg& leg) { return leg.name != 0; },
      [](const SeriesLeg& leg) {
        return absl::HashOf(leg.pair.source, leg.name, leg.pair.port, leg.pair.protocol);
      },
      [](const SeriesLeg& a, const SeriesLeg& b) {
        return a.name == b.name && a.pair.source == b.pair.source && a.pair.port == b.pair.port &&
               a.pair.protocol == b.pair.protocol;
      },
      of_leg);
}

}  // namespace beaconry
