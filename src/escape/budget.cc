#include "escape/budget.h"

#include <algorithm>
#include <cmath>

#include "escape/translated.h"

namespace beaconry {
namespace {

constexpr double kLeastRate = 1e-6;
constexpr std::size_t kMostBroadcasts = 60'000;  // a minute
constexpr std::chrono::seconds kAfterFailure{1};

// What a profile never sends. kToNeighbour: not to neighbours that are not listed.
std::uint32_t forbidden_traits(Profile profile) {
  switch (profile) {
    case Profile::ot:
      return kSpoofed | kMalformed | kFragmented | kSourceRouted | kBroadcast | kToNeighbour |
             kToUnnamed;
    case Profile::office:
      return kSpoofed | kMalformed;
    case Profile::lab:
      return 0;
  }
  return ~0U;
}

template <class List, class Value>
bool holds(const List& list, const Value& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

std::string profile_forbids(Profile profile, std::uint32_t traits) {
  return "the profile " + std::string(to_string(profile)) + " sends nothing " +
         std::string(trait_word(traits));
}

}  // namespace

Timestamp Egress::Bucket::ready(double amount, Timestamp now) {
  if (now > filled) level = std::min(most, level + to_seconds(now - filled) * a_second);
  filled = now;
  // What is there but for rounding is there.
  if (level + 1e-9 >= amount) return now;
  const double wait = std::min((amount - level) / a_second, 1e6);
  return now + Duration(static_cast<std::int64_t>(std::ceil(wait * 1e6)));
}

Timestamp Egress::Window::ready(Timestamp now) {
  for (Timestamp& time : times)
    if (time > now) time = now;  // the clock was set back
  if (times.size() < most) return now;
  return std::max(now, times.front() + window);
}

void Egress::Window::take(Timestamp now) {
  if (times.size() >= most) times.pop_front();
  times.push_back(now);
}

Egress::Egress(const ProbeConfig& config, Link& link) : config_(config), link_(link) {
  const double full_frame = static_cast<double>(link.facts().mtu) + 18;
  packets_.a_second = std::max(config.packets_a_second, kLeastRate);
  packets_.most = std::max(1.0, packets_.a_second / 20);
  packets_.level = packets_.most;
  bytes_.a_second = std::max(config.bytes_a_second, kLeastRate);
  bytes_.most = std::max(full_frame, bytes_.a_second / 20);
  bytes_.level = bytes_.most;
  const double a_minute = std::max(config.broadcasts_a_minute, kLeastRate);
  const double whole = std::clamp(std::floor(a_minute), 1.0, static_cast<double>(kMostBroadcasts));
  broadcasts_.most = static_cast<std::size_t>(whole);
  broadcasts_.window = Duration(static_cast<std::int64_t>(std::max(1.0, whole / a_minute) * 60e6));
  if (a_minute >= 1) broadcasts_.window = std::chrono::minutes(1);
}

Egress::Answer Egress::send(ByteView frame, MethodId method, std::uint32_t traits, Timestamp now) {
  const FrameTraits found = inspect_frame(frame, link_.facts().mac, own_, networks());
  if (std::string why = why_not(found, method, traits, now); !why.empty()) {
    ++counters_.forbidden;
    return {Verdict::forbidden, {}, std::move(why)};
  }
  if (found.to_all && config_.broadcasts_a_minute <= 0) {
    ++counters_.forbidden;
    return {Verdict::forbidden, {}, "the budget allows no broadcasts"};
  }
  const auto size = static_cast<double>(frame.size());
  if (size > bytes_.most) {
    ++counters_.forbidden;
    return {Verdict::forbidden, {}, "longer than the interface's MTU"};
  }
  Timestamp when = std::max(packets_.ready(1, now), bytes_.ready(size, now));
  if (found.to_all) when = std::max(when, broadcasts_.ready(now));
  if (when > now) return {Verdict::wait, when, {}};

  // Taken even if it fails: a link that refuses is not asked without end.
  packets_.take(1);
  bytes_.take(size);
  if (found.to_all) broadcasts_.take(now);
  if (const Result<void> sent = link_.send(frame, now); !sent) {
    ++counters_.failed;
    return {Verdict::wait, now + kAfterFailure, sent.error().message()};
  }
  ++counters_.frames;
  counters_.bytes += frame.size();
  if (found.to_all) ++counters_.broadcasts;
  return {};
}

std::string Egress::why_forbidden(MethodId method, std::uint32_t traits) const {
  if (holds(config_.forbidden_methods, method)) return "the configuration forbids the method";
  // Which neighbours, each frame shows.
  if (!config_.neighbours.empty()) traits &= ~std::uint32_t{kToNeighbour};
  const std::uint32_t refused = traits & forbidden_traits(config_.profile);
  return refused == 0 ? std::string() : profile_forbids(config_.profile, refused);
}

std::string Egress::why_not(const FrameTraits& found, MethodId method, std::uint32_t traits,
                            Timestamp now) const {
  if (has_ended(now)) return "the end date is past";
  if (method != MethodId::none && holds(config_.forbidden_methods, method)) {
    return "the configuration forbids the method";
  }
  for (const MacAddress& mac : {found.destination, found.source}) {
    if (holds(config_.forbidden_macs, mac)) return "forbidden MAC " + mac.to_string();
  }
  for (const IpAddress& address : found.addresses) {
    for (const Cidr& forbidden : config_.forbidden_addresses) {
      if (forbidden.contains(address)) return "forbidden address " + address.to_string();
    }
  }
  std::uint32_t all = found.traits;
  if (!found.housekeeping) {
    all |= traits & ~std::uint32_t{kToNeighbour | kToUnnamed};
    if (goes_to_stranger(found)) all |= kToNeighbour;
    if (found.is_ip && !found.to_all && !is_expected(found.ip_destination)) all |= kToUnnamed;
  }
  const std::uint32_t refused = all & forbidden_traits(config_.profile);
  return refused == 0 ? std::string() : profile_forbids(config_.profile, refused);
}

bool Egress::is_expected(const IpAddress& address) const {
  if (holds(config_.home.addresses, address) || holds(config_.gateways, address) ||
      holds(config_.resolvers, address) || holds(config_.neighbours, address)) {
    return true;
  }
  if (config_.control && config_.control->destination == address) return true;
  if (!address.is_v4()) {
    for (const IpAddress& home : config_.home.addresses)
      if (home.is_v4() && holds(translated_forms(home), address)) return true;
  }
  if (std::any_of(config_.peers.begin(), config_.peers.end(),
                  [&](const Peer& peer) { return peer.address == address; })) {
    return true;
  }
  return segment_ != nullptr &&
         (holds(segment_->gateways(), address) || holds(segment_->resolvers(), address));
}

// By both of its addresses: a packet for home that goes to a neighbour's MAC goes to a neighbour.
bool Egress::goes_to_stranger(const FrameTraits& found) const {
  if (found.destination.is_group()) return false;
  if (found.is_ip && !is_expected(found.ip_destination)) {
    const bool on_link = segment_ != nullptr ? segment_->is_on_link(found.ip_destination)
                                             : found.ip_destination.is_link_local();
    const std::vector<Cidr> nets = networks();
    if (on_link || std::any_of(nets.begin(), nets.end(), [&](const Cidr& network) {
          return network.contains(found.ip_destination);
        })) {
      return true;
    }
  }
  if (segment_ == nullptr) return false;
  const auto is_of = [&](const IpAddress& address) {
    return segment_->mac_of(address) == found.destination;
  };
  const auto any_of = [&](const std::vector<IpAddress>& list) {
    return std::any_of(list.begin(), list.end(), is_of);
  };
  if (found.is_ip && is_expected(found.ip_destination) && is_of(found.ip_destination)) return false;
  return !any_of(segment_->gateways()) && !any_of(segment_->resolvers()) &&
         !any_of(config_.neighbours) && !any_of(config_.home.addresses);
}

std::vector<Cidr> Egress::networks() const {
  std::vector<Cidr> all = config_.addresses;
  if (segment_ != nullptr) {
    for (const Segment::OwnAddress& own : segment_->own())
      all.emplace_back(own.address, own.prefix_length);
  }
  return all;
}

}  // namespace beaconry
