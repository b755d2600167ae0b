#include "capture/packet_worker.h"

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "base/log.h"

namespace beaconry {
namespace {

constexpr std::size_t kMostEventsWaiting = 1 << 20;
// Packets of up to this long ago may still wait in a ring.
constexpr Duration kOnTheWay = std::chrono::milliseconds{200};
constexpr auto kLookAfterEvery = std::chrono::seconds{1};

FlowTable::Options table_options(const CaptureOptions& options, std::size_t most_flows) {
  FlowTable::Options table;
  table.networks = options.networks;
  table.burst_gap = options.burst_gap;
  table.most_flows = most_flows;
  table.idle_timeout = options.connection_timeout;
  return table;
}

}  // namespace

PacketWorker::PacketWorker(const CaptureOptions& options, std::size_t most_flows, bool share)
    : track_tcp_(options.track_tcp),
      track_udp_(options.track_udp),
      ring_options_{share, std::max<std::size_t>(options.ring_bytes, std::size_t{8} << 20)},
      events_(kMostEventsWaiting),
      table_(table_options(options, most_flows), events_),
      handed_(kMostEventsWaiting) {}

Result<std::unique_ptr<PacketWorker>> PacketWorker::open(const CaptureOptions& options,
                                                         Groups& groups, unsigned workers) {
  std::unique_ptr<PacketWorker> worker(
      new PacketWorker(options, options.most_flows / workers, workers > 1));
  for (auto& group : groups) {
    Place place;
    place.group = group.get();
    place.counters.interface = group->interface;
    place.counters.hooks = "af_packet";
    auto ring = PacketRing::open(*group, worker->ring_options_);
    if (!ring) return tl::unexpected<Error>(ring.error());
    place.ring = std::move(*ring);
    const auto active = place.ring->activate();
    if (!active) return tl::unexpected<Error>(active.error());
    worker->places_.push_back(std::move(place));
  }
  return worker;
}

PacketWorker::~PacketWorker() {
  stop();
}

void PacketWorker::start() {
  thread_ = std::thread([this] { run(); });
}

void PacketWorker::stop() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

void PacketWorker::run() {
  using Clock = std::chrono::steady_clock;
  auto look_after = Clock::now() + kLookAfterEvery;
  std::optional<Clock::time_point> end;
  std::vector<pollfd> waiting;
  for (;;) {
    if (stopping_ && !end) end = Clock::now() + 2 * PacketRing::kRetire;
    if (end && Clock::now() >= *end) break;
    waiting.clear();
    for (const Place& place : places_)
      waiting.push_back({place.ring ? place.ring->fd() : -1, POLLIN, 0});
    ::poll(waiting.data(), waiting.size(), static_cast<int>(PacketRing::kRetire.count()));
    for (std::size_t i = 0; i < places_.size(); ++i) {
      if (!places_[i].ring) continue;
      if ((waiting[i].revents & POLLERR) != 0) places_[i].ring->clear_error();
      read(places_[i]);
    }
    if (Clock::now() < look_after) continue;
    look_after = Clock::now() + kLookAfterEvery;
    for (Place& place : places_)
      this->look_after(place);
  }
  for (Place& place : places_) {
    const std::lock_guard lock(mutex_);
    if (place.ring) place.counters.kernel_drops += place.ring->take_drops();
  }
}

void PacketWorker::read(Place& place) {
  for (;;) {
    const std::lock_guard lock(mutex_);
    const std::uint64_t dropped = events_.dropped();
    if (!place.ring->read([&](const RingFrame& frame) { take(frame, place.counters); })) return;
    place.counters.ring_drops += events_.dropped() - dropped;
  }
}

void PacketWorker::take(const RingFrame& frame, InterfaceCounters& counters) {
  ++counters.packets;
  const ParseResult result = parse_packet(frame.link_type, frame.data, frame.data + frame.captured,
                                          frame.wire_length, &parsed_);
  if (result == kNotIp) {
    ++counters.not_ip;
    return;
  }
  if (result != kParsed || parsed_.vlan_tags + (frame.stripped_tag ? 1 : 0) > kMostVlanTags) {
    ++counters.unparsable;
    return;
  }
  const bool tcp = parsed_.protocol == kProtocolTcp, udp = parsed_.protocol == kProtocolUdp;
  if ((tcp && !track_tcp_) || (udp && !track_udp_)) {
    ++counters.not_tracked;
    return;
  }
  switch (table_.add_packet(parsed_, frame.time, PacketId{counters.packets, 0})) {
    case PacketUse::counted:
      if (tcp) {
        ++counters.tcp;
      } else if (udp) {
        ++counters.udp;
      } else if (parsed_.protocol == kProtocolIcmp || parsed_.protocol == kProtocolIcmpv6) {
        ++counters.icmp;
      } else {
        ++counters.other;
      }
      break;
    case PacketUse::later_fragment:
      ++counters.later_fragments;
      break;
    case PacketUse::icmp_error:
      ++counters.icmp_errors;
      break;
    case PacketUse::stray_segment:
      ++counters.strays;
      break;
  }
}

// An interface that was down, or was removed and made anew under its name.
void PacketWorker::look_after(Place& place) {
  if (!place.ring) return;
  const int index = find_interface(place.ring->fd(), place.group->interface);
  {
    const std::lock_guard lock(mutex_);
    place.counters.kernel_drops += place.ring->take_drops();
  }
  std::string trouble;
  if (index != 0 && index != place.ring->interface_index()) {
    auto ring = PacketRing::open(*place.group, ring_options_);
    if (ring) {
      place.ring = std::move(*ring);
    } else {
      trouble = ring.error().message() + "; it was made anew and is not seen until a restart";
    }
  }
  if (trouble.empty() && index != 0 && !place.ring->active()) {
    if (const auto active = place.ring->activate(); !active) trouble = active.error().message();
  }
  if (!trouble.empty() && !place.complained) log_warning(trouble);
  place.complained = !trouble.empty();
}

void PacketWorker::drain(FlowSink& sink) {
  {
    const std::lock_guard lock(mutex_);
    events_.swap(handed_);
  }
  handed_.hand_to(sink);
}

void PacketWorker::report(Timestamp now, FlowSink& sink) {
  {
    const std::lock_guard lock(mutex_);
    table_.report(now - kOnTheWay);
  }
  drain(sink);
}

void PacketWorker::finish(FlowSink& sink) {
  drain(sink);
  {
    const std::lock_guard lock(mutex_);
    table_.finish();
  }
  drain(sink);
}

void PacketWorker::count(CaptureCounters& total) {
  const std::lock_guard lock(mutex_);
  total.flows += table_.flow_count();
  total.flows_closed += table_.ended();
  total.flows_opened += table_.ended() + table_.flow_count();
  total.flows_evicted += table_.evicted();
  total.names_given_up += table_.names_given_up();
  for (std::size_t i = 0; i < places_.size(); ++i) {
    const InterfaceCounters& ours = places_[i].counters;
    InterfaceCounters& sum = total.interfaces[i];
    for (const auto member :
         {&InterfaceCounters::packets, &InterfaceCounters::tcp, &InterfaceCounters::udp,
          &InterfaceCounters::icmp, &InterfaceCounters::other, &InterfaceCounters::not_ip,
          &InterfaceCounters::unparsable, &InterfaceCounters::later_fragments,
          &InterfaceCounters::icmp_errors, &InterfaceCounters::strays,
          &InterfaceCounters::not_tracked, &InterfaceCounters::ring_drops,
          &InterfaceCounters::kernel_drops}) {
      sum.*member += ours.*member;
    }
  }
}

}  // namespace beaconry
