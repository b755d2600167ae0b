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
bool goes_by_name(const SeriesLeg& busiest, const PairLegs& pair) {
  return busiest.name != 0 &&
         (pair.kind == PairKind::named || busiest.connections * 2 >= pair.connections);
}

}  // namespace

Neighbourhood::Neighbourhood(const SeriesStore& store, const Networks& networks)
    : store_(store), networks_(networks) {
  count_hosts();
  count_users([](const SeriesLeg& leg) { return key_of(UseOf::address, leg.pair.destination); });
  count_names();
}

void Neighbourhood::count_hosts() {
  std::vector<std::uint64_t> inside, outside;
  for (const SeriesLeg& leg : store_.legs()) {
    if (leg.check_ins == 0) continue;
    const std::uint64_t source = absl::HashOf(leg.pair.source);
    std::vector<std::uint64_t>& side = networks_.is_internal(leg.pair.source) ? inside : outside;
    if (side.empty() || side.back() != source) side.push_back(source);
  }
  const auto distinct = [](std::vector<std::uint64_t>& hosts) {
    std::sort(hosts.begin(), hosts.end());
    return static_cast<std::uint32_t>(std::unique(hosts.begin(), hosts.end()) - hosts.begin());
  };
  inside_hosts_ = distinct(inside);
  outside_hosts_ = distinct(outside);
}

// How many sources share a key; key 0 is nobody's. Who is alone is not kept.
template <class KeyOf>
void Neighbourhood::count_users(const KeyOf& key) {
  using Use = std::pair<std::uint64_t, std::uint64_t>;  // destination, source
  std::vector<Use> uses;
  for (const SeriesLeg& leg : store_.legs()) {
    if (leg.check_ins == 0) continue;
    const std::uint64_t destination = key(leg);
    if (destination != 0) uses.emplace_back(destination, absl::HashOf(leg.pair.source));
  }
  std::sort(uses.begin(), uses.end());
  uses.erase(std::unique(uses.begin(), uses.end()), uses.end());
  for (std::size_t i = 0; i < uses.size();) {
    std::size_t end = i + 1;
    while (end < uses.size() && uses[end].first == uses[i].first)
      ++end;
    if (end - i > 1) users_[uses[i].first] = static_cast<std::uint32_t>(end - i);
    i = end;
  }
}

void Neighbourhood::count_names() {
  std::vector<std::uint64_t> domains(store_.names(), 0);  // by name; its registered domain's hash
  absl::flat_hash_set<std::uint64_t> looked_up;
  bool any = false;
  for (const SeriesLeg& leg : store_.legs()) {
    if (leg.check_ins == 0 || leg.name == 0) continue;
    any = true;
    std::uint64_t& domain = domains[leg.name];
    if (domain == 0) domain = absl::HashOf(registered_domain(store_.name(leg.name)));
    if (leg.name_kind == NameKind::dns_domain) {
      // Asking is not using: resolvers ask for all. Who asks is counted apart.
      resolvers_.insert(absl::HashOf(leg.pair.destination));
      looked_up.insert(domain);
    }
  }
  if (!any) return;
  for (const SeriesLeg& leg : store_.legs()) {
    if (leg.check_ins == 0 || leg.name == 0 || leg.name_kind == NameKind::dns_domain) continue;
    if (looked_up.contains(domains[leg.name])) contacted_.insert(domains[leg.name]);
  }
  const auto asks = [](const SeriesLeg& leg) { return leg.name_kind == NameKind::dns_domain; };
  count_users([&](const SeriesLeg& leg) {
    return leg.name == 0 || asks(leg) ? 0 : key_of(UseOf::name, store_.name(leg.name));
  });
  count_users([&](const SeriesLeg& leg) {
    if (leg.name == 0) return std::uint64_t{0};
    return key_of(asks(leg) ? UseOf::lookup : UseOf::domain, domains[leg.name]);
  });
}

std::uint64_t Neighbourhood::rhythm_key(const PairKey& pair, int bucket) {
  return absl::HashOf(pair.source, pair.port, pair.protocol, bucket);
}

std::uint32_t Neighbourhood::count(const Counts& counts, std::uint64_t key) const {
  const auto found = counts.find(key);
  return found == counts.end() ? 0 : found->second;
}

void Neighbourhood::add_rhythm(const PairLegs& pair, double interval_seconds) {
  const SeriesLeg& busiest = pair.busiest(store_);
  const std::uint64_t rhythm = rhythm_key(busiest.pair, bucket_of(interval_seconds));
  const std::uint64_t destination = goes_by_name(busiest, pair)
                                        ? key_of(UseOf::name, store_.name(busiest.name))
                                        : key_of(UseOf::address, busiest.pair.destination);
  if (rhythms_seen_.insert(absl::HashOf(rhythm, destination)).second) ++rhythms_[rhythm];
}

PairContext Neighbourhood::context_of(const PairLegs& pair, double interval_seconds) const {
  const SeriesLeg& busiest = pair.busiest(store_);
  PairContext c;
  c.pair = busiest.pair;
  c.named = pair.kind == PairKind::named;
  const bool source_inside = networks_.is_internal(c.pair.source);
  c.hosts = std::max(source_inside ? inside_hosts_ : outside_hosts_, 1U);
  c.destination_internal = networks_.is_internal(c.pair.destination);
  c.inbound = !source_inside && c.destination_internal;

  // Whoever shares an address with a popular service is as popular as the name it was asked by.
  const std::string_view name = store_.name(busiest.name);
  std::uint32_t users = 0;
  if (!c.named) users = count(users_, key_of(UseOf::address, c.pair.destination));
  if (goes_by_name(busiest, pair)) {
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
