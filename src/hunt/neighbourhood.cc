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
enum class UseOf : std::uint8_t { address, name, domain, lookup };

template <class T>
std::uint64_t key_of(UseOf kind, const T& what) {
  return absl::HashOf(kind, what);
}

// Rhythms within 10 % of each other are one.
int bucket_of(double seconds) {
  return static_cast<int>(std::floor(std::log(std::max(seconds, 1e-3)) / std::log(1.1)));
}

// Most of what the pair does goes by its busiest leg's name.
bool goes_by_name(const Leg& busiest, const PairIndex::Group& group) {
  return busiest.name != 0 &&
         (group.kind == PairKind::named || busiest.connections * 2 >= group.connections);
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
    const auto [entry, fresh] = domains.try_emplace(leg.name, 0);
    if (fresh) entry->second = absl::HashOf(registered_domain(name));
    if (leg.name_kind == NameKind::dns_domain) {
      // Asking is not using: resolvers ask for all. Who asks is counted apart.
      resolvers_.insert(absl::HashOf(leg.pair.destination));
      uses.emplace_back(key_of(UseOf::lookup, entry->second), source);
      continue;
    }
    contacted_.insert(entry->second);
    uses.emplace_back(key_of(UseOf::name, name), source);
    uses.emplace_back(key_of(UseOf::domain, entry->second), source);
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

void Neighbourhood::add_rhythm(const PairIndex::Group& group, double interval_seconds) {
  const Leg& busiest = store_.legs()[index_.legs(group)[0]];
  const std::uint64_t rhythm = rhythm_key(busiest.pair, bucket_of(interval_seconds));
  const std::uint64_t destination = goes_by_name(busiest, group)
                                        ? key_of(UseOf::name, store_.name(busiest.name))
                                        : key_of(UseOf::address, busiest.pair.destination);
  if (rhythms_seen_.insert(absl::HashOf(rhythm, destination)).second) ++rhythms_[rhythm];
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
  const std::string_view name = store_.name(busiest.name);
  std::uint32_t users = 0;
  if (!c.named) users = count(users_, key_of(UseOf::address, c.pair.destination));
  if (goes_by_name(busiest, group)) {
    const std::uint64_t domain = absl::HashOf(registered_domain(name));
    if (busiest.name_kind == NameKind::dns_domain) {
      c.lookup = true;
      c.contacted = contacted_.contains(domain);
      c.asks_for_others = resolvers_.contains(absl::HashOf(c.pair.source));
      users = std::max(users, count(users_, key_of(UseOf::lookup, domain)));
    } else {
      users = std::max({users, count(users_, key_of(UseOf::name, name)),
                        count(users_, key_of(UseOf::domain, domain))});
    }
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
