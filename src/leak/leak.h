#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ping/observation.h"

namespace beaconry {

// What an observation is, beside those before it.
enum class ObservationClass : std::uint8_t {
  fresh,        // a try's first arrival, about when it was sent
  duplicate,    // the same try again within ten minutes: retransmitted, or two ways out
  late,         // long after it was sent: a ghost, of a resolver's cache or a queue
  replayed,     // seen long before, and sent again by somebody
  unknown_key,  // or of a probe that the server does not know
  retired,      // of a revoked or ended probe
  unconfirmed,  // a bounce token that stands alone: it may have come by chance
};
std::string_view to_string(ObservationClass c);

enum class PathKind : std::uint8_t {
  direct,    // with the probe's own address: not NATed, or no NAT on the way
  nat,       // behind another address
  unnatted,  // a private inside address arrived outside: passed beside the NAT
  resolver,  // asked by a resolver
  neighbour_forwards,
  neighbour_bounces,  // it answered to home by another way out, without forwarding
  proxy,
  reflector,  // a relay or repeater of a service
  control,    // the positive control: no leak
};
std::string_view to_string(PathKind kind);
std::optional<PathKind> parse_path_kind(std::string_view word);

struct Leak {
  std::string id;  // 16 hex digits of what makes it one: probe, method, family, path
  ProbeId probe;
  MethodId method = MethodId::none;
  bool ipv6 = false;
  PathKind path = PathKind::direct;
  IpAddress outer_source;  // who home saw: NAT, resolver, neighbour's outer address
  IpAddress via;           // the inside neighbour, gateway or resolver; :: unknown
  IpAddress inside;        // the probe's address at that time
  bool two_way = false;    // home's answer came back: the third leg arrived, while it is open now
  Timestamp first{}, last{};        // received; of the whole leak
  Timestamp opened{};               // of the time it is open now, or was last
  std::optional<Timestamp> closed;  // when it was last seen, once two cycles missed it
  std::uint64_t count = 0;          // fresh and late ones
  std::uint64_t duplicates = 0, replayed = 0, late = 0;
  std::uint32_t times_opened = 1;
  CycleKind seen_in = CycleKind::long_cycle;  // short if any was of a short cycle
  // Destination ports, as ranges. Beyond kMostPortRanges the nearest are joined.
  std::vector<std::pair<std::uint16_t, std::uint16_t>> ports;
  std::vector<std::uint8_t> variants;  // IP protocols, forms
  std::uint8_t ttl = 0;                // with which the newest arrived; probes send 64; 0: unknown
  // The cycles in which it was last found to be wider than known, plus one: short, long. 0: never.
  std::array<std::uint32_t, 2> widened_in{};
  std::vector<std::pair<Timestamp, Timestamp>> open_times;  // earlier ones, the newest 16

  static constexpr std::size_t kMostPortRanges = 1024, kMostOpenTimes = 16;
  friend bool operator==(const Leak&, const Leak&) = default;
};

enum class LeakChange : std::uint8_t { opened, reopened, closed, widened, two_way };
std::string_view to_string(LeakChange change);

// Words for an operator: what got out and how, and what to do.
struct LeakWords {
  std::string title;              // one line
  std::string explanation;        // two or three sentences, with addresses
  std::string fix;                // what to set where, nftables and vendor-neutral words
  std::vector<std::string> path;  // probe, …, home: the hops as one reads them
};
LeakWords describe(const Leak& leak, std::string_view probe_name);

}  // namespace beaconry
