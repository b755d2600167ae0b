#pragma once
#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>

#include <cstdint>

#include "detect/context.h"
#include "flow/networks.h"
#include "hunt/pair_index.h"
#include "series/series_store.h"

namespace beaconry {

// What the whole network says of each pair: how many hosts use a destination, its name or its
// registered domain, and how many destinations a source visits in one rhythm. It reads the store
// where a pair is handed in: whoever shares the store holds its mutex then.
class Neighbourhood {
 public:
  Neighbourhood(const SeriesStore& store, const Networks& networks);

  // An address pair of a rhythm: counted towards the fan-out of its source, addresses of one name
  // as one destination.
  void add_rhythm(const PairLegs& pair, double interval_seconds);

  // REQUIRES all rhythms to have been added.
  PairContext context_of(const PairLegs& pair, double interval_seconds) const;

 private:
  using Counts = absl::flat_hash_map<std::uint64_t, std::uint32_t>;
  void count_hosts();
  void count_names();
  template <class KeyOf>
  void count_users(const KeyOf& key_of);
  static std::uint64_t rhythm_key(const PairKey& pair, int bucket);
  std::uint32_t count(const Counts& counts, std::uint64_t key) const;

  const SeriesStore& store_;
  const Networks& networks_;
  Counts users_;    // hosts by hash of address, name or domain; where there are more than one
  Counts rhythms_;  // destinations by source, port, protocol and interval
  absl::flat_hash_set<std::uint64_t> rhythms_seen_;
  absl::flat_hash_set<std::uint64_t> contacted_;  // domains, of those looked up, connected to
  absl::flat_hash_set<std::uint64_t> resolvers_;  // hosts that others ask for names
  std::uint32_t inside_hosts_ = 0, outside_hosts_ = 0;
};

}  // namespace beaconry
