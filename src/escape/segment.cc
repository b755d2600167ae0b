#include "escape/segment.h"

#include <algorithm>

#include "escape/stack/dhcp_reply.h"
#include "escape/stack/frame.h"
#include "packet/dns_message.h"

namespace beaconry {
namespace {

constexpr std::chrono::minutes kSaidSoLasts{5};
constexpr std::size_t kMostOwn = 16;

bool is_host_mac(const MacAddress& mac) {
  return !mac.is_group() && mac != MacAddress{};
}

// Addresses that no router outside would send from: believed to be on the link while we have no
// network of our own to compare with.
bool is_private(const IpAddress& address) {
  if (!address.is_v4()) return (address.bytes()[0] & 0xfe) == 0xfc;
  const std::uint32_t value = address.v4_value();
  return value >> 24 == 10 || value >> 20 == (172U << 4 | 1U) || value >> 16 == (192U << 8 | 168U);
}

bool has_passed_no_router(std::uint8_t ttl) {
  return ttl == 64 || ttl == 128 || ttl == 255 || ttl == 1;
}

bool is_in(const Segment::OwnAddress& own, const IpAddress& address) {
  if (own.address.is_v4() != address.is_v4()) return false;
  const unsigned bits = own.prefix_length + (own.address.is_v4() ? 96 : 0);
  return own.address.masked(bits) == address.masked(bits);
}

}  // namespace

bool Segment::Known::holds(const IpAddress& address) const {
  return std::find(all.begin(), all.end(), address) != all.end();
}

void Segment::Known::tell(const IpAddress& address, std::size_t most) {
  const auto at = std::find(all.begin(), all.end(), address);
  if (at != all.end()) {
    if (static_cast<std::size_t>(at - all.begin()) < told) return;
    all.erase(at);
  } else if (all.size() >= most) {
    if (told >= most) return;
    all.pop_back();
  }
  all.insert(all.begin() + static_cast<std::ptrdiff_t>(told++), address);
}

void Segment::Known::hear(const IpAddress& address, std::size_t most) {
  if (all.size() < most && !holds(address)) all.push_back(address);
}

void Segment::Known::forget_heard(const IpAddress& address) {
  const auto at = std::find(all.begin() + static_cast<std::ptrdiff_t>(told), all.end(), address);
  if (at != all.end()) all.erase(at);
}

void Segment::Known::forget_told(const IpAddress& address) {
  const auto end = all.begin() + static_cast<std::ptrdiff_t>(told);
  const auto at = std::find(all.begin(), end, address);
  if (at == end) return;
  all.erase(at);
  --told;
}

void Segment::add_own(const OwnAddress& address) {
  remove_own(address.address);
  if (own_.size() < kMostOwn) own_.push_back(address);
}

void Segment::remove_own(const IpAddress& address) {
  std::erase_if(own_, [&](const OwnAddress& own) { return own.address == address; });
}

void Segment::add_gateway(const IpAddress& address) {
  gateways_.tell(address, kMostRouters);
  const auto known = neighbours_.find(address);
  if (known != neighbours_.end()) known->second.neighbour.router = true;
}

void Segment::add_resolver(const IpAddress& address) {
  resolvers_.tell(address, kMostResolvers);
}

void Segment::set_wpad(const std::string& url) {
  wpad_ = url;
}

std::optional<Segment::OwnAddress> Segment::own_for(const IpAddress& destination) const {
  const OwnAddress* best = nullptr;
  int best_fit = -1;
  for (const OwnAddress& own : own_) {
    if (own.address.is_v4() != destination.is_v4()) continue;
    // An address that is good on the link alone gets no answer from beyond.
    const bool near = destination.is_link_local() || destination.is_multicast();
    if (own.link_local && !near && !is_in(own, destination)) continue;
    const int fit = (is_in(own, destination) ? 4 : 0) + (own.link_local == near ? 2 : 0) +
                    (own.kernel_owned ? 0 : 1);
    if (fit > best_fit) {
      best = &own;
      best_fit = fit;
    }
  }
  return best == nullptr ? std::nullopt : std::optional(*best);
}

bool Segment::is_own(const IpAddress& address) const {
  return std::any_of(own_.begin(), own_.end(),
                     [&](const OwnAddress& own) { return own.address == address; });
}

bool Segment::is_on_link(const IpAddress& address) const {
  if (!address.is_v4() && address.is_link_local()) return true;
  return std::any_of(own_.begin(), own_.end(),
                     [&](const OwnAddress& own) { return is_in(own, address); });
}

std::vector<Segment::Neighbour> Segment::neighbours() const {
  std::vector<Neighbour> all;
  all.reserve(neighbours_.size());
  for (const auto& [address, entry] : neighbours_)
    all.push_back(entry.neighbour);
  return all;
}

std::optional<Segment::Neighbour> Segment::neighbour(const IpAddress& address) const {
  const auto known = neighbours_.find(address);
  if (known == neighbours_.end()) return std::nullopt;
  return known->second.neighbour;
}

std::optional<MacAddress> Segment::mac_of(const IpAddress& address) const {
  const auto known = neighbours_.find(address);
  if (known == neighbours_.end()) return std::nullopt;
  return known->second.neighbour.mac;
}

std::size_t Segment::silent_macs() const {
  std::set<MacAddress> speaking;
  for (const auto& [address, entry] : neighbours_)
    speaking.insert(entry.neighbour.mac);
  return static_cast<std::size_t>(std::count_if(
      macs_.begin(), macs_.end(), [&](const auto& mac) { return !speaking.contains(mac.first); }));
}

void Segment::learn(ByteView bytes, Timestamp now) {
  const std::optional<Frame> frame = read_frame(bytes);
  // What bears a VLAN's tag is of another network.
  if (!frame || frame->vlan_tags > 0 || !is_host_mac(frame->source)) return;
  hear_mac(frame->source, now);
  if (frame->kind == Frame::Kind::arp) {
    const Frame::Arp& said = frame->arp;
    if ((said.operation == 1 || said.operation == 2) && is_host_mac(said.sender_mac)) {
      hear_neighbour(said.sender, said.sender_mac, true, now);
    }
  } else if (frame->kind == Frame::Kind::ip) {
    hear_packet(*frame, now);
  }
}

void Segment::hear_packet(const Frame& frame, Timestamp now) {
  if (const auto message = read_neighbour_message(frame)) {
    if (message->link_layer && is_host_mac(*message->link_layer)) {
      hear_neighbour(message->advertises ? message->target : frame.ip_source, *message->link_layer,
                     true, now);
    }
    return;
  }
  if (const auto said = read_router_advertisement(frame)) {
    hear_neighbour(said->router, said->link_layer.value_or(frame.source), true, now);
    if (said->lifetime_seconds > 0) {
      hear_router(said->router);
      for (const IpAddress& resolver : said->resolvers)
        resolvers_.hear(resolver, kMostResolvers);
    } else {
      gateways_.forget_heard(said->router);
    }
    return;
  }
  const bool networks_known = std::any_of(own_.begin(), own_.end(), [&](const OwnAddress& own) {
    return own.address.is_v4() == frame.ip_source.is_v4() && !own.link_local;
  });
  if (is_on_link(frame.ip_source) ||
      (!networks_known && is_private(frame.ip_source) && has_passed_no_router(frame.ttl))) {
    hear_neighbour(frame.ip_source, frame.source, false, now);
  }
  if (!believes_all_ || frame.protocol != kProtocolUdp || frame.fragment != kWhole) return;
  if (frame.source_port == 67 && frame.destination_port == 68) {
    const auto reply = read_dhcp_reply(frame.payload);
    if (!reply || reply->type == DhcpType::nak) return;
    for (const IpAddress& router : reply->routers)
      hear_router(router);
    for (const IpAddress& resolver : reply->resolvers)
      resolvers_.hear(resolver, kMostResolvers);
    if (wpad_.empty()) wpad_ = reply->wpad;
  } else if (frame.source_port == 53 && is_host_address(frame.ip_source)) {
    DnsMessage message;
    if (message.parse(frame.payload) && message.is_response() && !message.question().empty()) {
      resolvers_.hear(frame.ip_source, kMostResolvers);
    }
  }
}

void Segment::hear_router(const IpAddress& address) {
  gateways_.hear(address, kMostRouters);
  const auto known = neighbours_.find(address);
  if (known != neighbours_.end()) known->second.neighbour.router = true;
}

void Segment::hear_mac(const MacAddress& mac, Timestamp now) {
  const auto known = macs_.find(mac);
  if (known != macs_.end()) {
    macs_by_age_.erase({known->second, mac});
    known->second = now;
  } else {
    if (macs_.size() >= kMostNeighbours) {
      macs_.erase(macs_by_age_.begin()->second);
      macs_by_age_.erase(macs_by_age_.begin());
    }
    macs_.emplace(mac, now);
  }
  macs_by_age_.emplace(now, mac);
}

void Segment::hear_neighbour(const IpAddress& address, const MacAddress& mac, bool said_so,
                             Timestamp now) {
  if (!is_host_address(address) || !is_host_mac(mac) || is_own(address)) return;
  const auto known = neighbours_.find(address);
  if (known == neighbours_.end()) {
    if (neighbours_.size() >= kMostNeighbours) make_room();
    Entry entry;
    entry.neighbour = {address, mac, now, gateways_.holds(address)};
    entry.said_so = said_so;
    neighbours_.emplace(address, entry);
  } else {
    Entry& entry = known->second;
    // A packet that was forwarded bears the forwarder's MAC: it does not undo what ARP said.
    const bool stale = now - entry.neighbour.heard > kSaidSoLasts;
    if (mac != entry.neighbour.mac && entry.said_so && !said_so && !stale) return;
    by_age_.erase({entry.neighbour.heard, address});
    entry.said_so = said_so || (entry.said_so && mac == entry.neighbour.mac);
    entry.neighbour.mac = mac;
    entry.neighbour.heard = now;
  }
  by_age_.emplace(now, address);
}

void Segment::make_room() {
  // At most kMostRouters + kMostResolvers are stepped over.
  for (auto oldest = by_age_.begin(); oldest != by_age_.end(); ++oldest) {
    if (gateways_.holds(oldest->second) || resolvers_.holds(oldest->second)) continue;
    neighbours_.erase(oldest->second);
    by_age_.erase(oldest);
    return;
  }
}

}  // namespace beaconry
