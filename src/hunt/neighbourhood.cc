#include "hunt/neighbourhood.h"

#include <absl/hash/hash.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "flow/server_name.h"

namespace beaconry {
namespace {

// Kinds of destinations must not meet in one hash.
enum class UseOf : std::uint8_t { address, name, domain };

template <class T>
std::uint64_t key_of(UseOf kind, const T& what) {
  return absl::HashOf(kind, what);
}

// Rhythms within 10 % of each other are one.
int bucket_of(double seconds) {
  return static_cast<int>(std::floor(std::log(std::max(seconds, 1e-3)) / std::log(1.1)));
}

}  // namespace

Neighbourhood::Neighbourhood(const SeriesStore& store, const PairIndex& index,
                             const Networks& networks)
    : store_(store), index_(index), networks_(networks) {
  using Use = std::pair<std::uint64_t, std::uint64_t>;  // destination, source
  std::vector<Use> uses;
  std::vector<std::uint64_t> inside, outside;
  absl::flat_hash_map<NameTable::Id, std::uint64_t> domains;
  for (const Leg& leg : store.legs()) {
    if (leg.check_ins == 0) continue;
    const std::uint64_t source = absl::HashOf(leg.pair.source);
    (networks.is_internal(leg.pair.source) ? inside : outside).push_back(source);
    uses.emplace_back(key_of(UseOf::address, leg.pair.destination), source);
    if (leg.name == 0) continue;
    const std::string_view name = store.name(leg.name);
    uses.emplace_back(key_of(UseOf::name, name), source);
    const auto [entry, fresh] = domains.try_emplace(leg.name, 0);
    if (fresh) entry->second = key_of(UseOf::domain, registered_domain(name));
    uses.emplace_back(entry->second, source);
  }
  const auto distinct = [](std::vector<std::uint64_t>& hosts) {
    std::sort(hosts.begin(), hosts.end());
    return static_cast<std::uint32_t>(std::unique(hosts.begin(), hosts.end()) - hosts.begin());
  };
  inside_hosts_ = distinct(inside);
  outside_hosts_ = distinct(outside);
  std::sort(uses.begin(), uses.end());
  uses.erase(std::unique(uses.begin(), uses.end()), uses.end());
  for (const Use& use : uses)
    ++users_[use.first];
}

std::uint64_t Neighbourhood::rhythm_key(const PairKey& pair, int bucket) {
  return absl::HashOf(pair.source, pair.port, pair.protocol, bucket);
}

std::uint32_t Neighbourhood::count(const Counts& counts, std::uint64_t key) const {
  const auto found = counts.find(key);
  return found == counts.end() ? 0 : found->second;
}

void Neighbourhood::add_rhythm(const PairKey& pair, double interval_seconds) {
  ++rhythms_[rhythm_key(pair, bucket_of(interval_seconds))];
}

PairContext Neighbourhood::context_of(const PairIndex::Group& group,
                                      double interval_seconds) const {
  const auto legs = index_.legs(group);
  const Leg& busiest = store_.legs()[legs[0]];
  PairContext c;
  c.pair = busiest.pair;
  c.named = group.kind == PairKind::named;
  const bool source_inside = networks_.is_internal(c.pair.source);
  c.hosts = std::max(source_inside ? inside_hosts_ : outside_hosts_, 1U);
  c.destination_internal = networks_.is_internal(c.pair.destination);
  c.inbound = !source_inside && c.destination_internal;

  // Whoever shares an address with a popular service is as popular as the name it was asked by.
  const bool by_name = busiest.name != 0 && std::uint64_t{busiest.check_ins} * 2 >= group.check_ins;
  std::uint32_t users = 0;
  if (!c.named) users = count(users_, key_of(UseOf::address, c.pair.destination));
  if (by_name || c.named) {
    const std::string_view name = store_.name(busiest.name);
    users = std::max({users, count(users_, key_of(UseOf::name, name)),
                      count(users_, key_of(UseOf::domain, registered_domain(name)))});
  }
  c.users = std::max(users, 1U);
  if (interval_seconds > 0) {
    const int bucket = bucket_of(interval_seconds);
    for (int near = bucket - 1; near <= bucket + 1; ++near) {
      c.polled_alike += count(rhythms_, rhythm_key(c.pair, near));
    }
    c.polled_alike = std::max(c.polled_alike - 1, 1U);
  }
  return c;
}

}  // namespace beaconry
