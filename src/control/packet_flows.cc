#include "control/packet_flows.h"

#include <algorithm>
#include <random>
#include <utility>

#include "base/fnv.h"
#include "packet/parse.h"

namespace beaconry {
namespace {

// As FlowTable has them (flow_state.cc).
constexpr Duration kTcpIdle = std::chrono::minutes{124};
constexpr Duration kUdpIdle = std::chrono::minutes{3};
constexpr Duration kOtherIdle = std::chrono::minutes{1};
constexpr Duration kClosedIdle = std::chrono::seconds{10};
constexpr Duration kLongestSynRetry = std::chrono::seconds{70};
constexpr Duration kAliveEvery = std::chrono::minutes{1};

// Ethernet, IPv6 and TCP headers with timestamps and the one byte of a keep-alive probe.
constexpr std::uint32_t kLongestBareAck = 87;
constexpr unsigned kLookedAt = 64;  // flows, when one must go

std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  const auto product = static_cast<unsigned __int128>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

// Only the handshake, the end, or an acknowledgement that carries nothing.
bool is_bare(const PacketEvent& event) {
  if (event.protocol != Protocol::tcp || event.tcp_flags == 0) return false;
  if ((event.tcp_flags & (kTcpSyn | kTcpFin | kTcpRst)) != 0) return true;
  return event.tcp_flags == kTcpAck && event.size > 0 && event.size <= kLongestBareAck;
}

bool is_syn(const PacketEvent& event) {
  return event.protocol == Protocol::tcp && (event.tcp_flags & kTcpSyn) != 0 &&
         (event.tcp_flags & kTcpAck) == 0;
}

bool is_end(const PacketEvent& event) {
  return event.protocol == Protocol::tcp && (event.tcp_flags & (kTcpFin | kTcpRst)) != 0;
}

}  // namespace

PacketFlows::PacketFlows(Options options) : options_(std::move(options)) {
  std::random_device random;
  seed_ = static_cast<std::uint64_t>(random()) << 32 | random();
}

Duration PacketFlows::Flow::patience() const {
  if (closed) return kClosedIdle;
  if (ends.protocol == kProtocolTcp) return kTcpIdle;
  return ends.protocol == kProtocolUdp ? kUdpIdle : kOtherIdle;
}

PacketFlows::Ends PacketFlows::ends_of(std::uint64_t node, const PacketEvent& event, bool& from_a) {
  from_a = std::tie(event.source, event.source_port) <=
           std::tie(event.destination, event.destination_port);
  Ends ends;
  ends.node = node;
  ends.protocol = static_cast<std::uint32_t>(event.protocol);
  ends.a = from_a ? event.source : event.destination;
  ends.b = from_a ? event.destination : event.source;
  ends.a_port = from_a ? event.source_port : event.destination_port;
  ends.b_port = from_a ? event.destination_port : event.source_port;
  return ends;
}

std::uint32_t PacketFlows::hash_of(const Ends& ends) const {
  const std::uint64_t rest = static_cast<std::uint64_t>(ends.a_port) << 48 |
                             static_cast<std::uint64_t>(ends.b_port) << 32 | ends.protocol;
  const std::uint64_t sum =
      mix(ends.a.low() ^ seed_, ends.b.low() ^ 0x9e3779b97f4a7c15ULL) ^
      mix(ends.a.high() ^ rest ^ seed_, ends.b.high() ^ ends.node ^ 0xd6e8feb86659fd93ULL);
  return static_cast<std::uint32_t>(mix(sum ^ seed_, 0xa0761d6478bd642fULL));
}

std::uint32_t PacketFlows::find(const Ends& ends, std::uint32_t hash) const {
  return index_.find(hash, [&](std::uint32_t number) { return flows_[number].ends == ends; });
}

void PacketFlows::release(std::uint32_t number) {
  index_.erase(flows_[number].hash, number);
  flows_[number] = {};
  free_.push_back(number);
}

void PacketFlows::make_room(Timestamp now) {
  std::uint32_t quietest = HashIndex::kNone;
  bool freed = false;
  for (unsigned i = 0; i < kLookedAt; ++i) {
    hand_ = hand_ + 1 < flows_.size() ? hand_ + 1 : 0;
    const Flow& flow = flows_[hand_];
    if (!flow.used) continue;
    if (now - flow.last > flow.patience()) {
      release(hand_);
      freed = true;
    } else if (quietest == HashIndex::kNone || flow.last < flows_[quietest].last) {
      quietest = hand_;
    }
  }
  if (freed || quietest == HashIndex::kNone) return;
  release(quietest);
  ++evicted_;
}

std::uint32_t PacketFlows::create(const Ends& ends, std::uint32_t hash, Timestamp now) {
  if (index_.size() >= options_.most_flows) make_room(now);
  std::uint32_t number = 0;
  if (free_.empty()) {
    number = static_cast<std::uint32_t>(flows_.size());
    flows_.emplace_back();
  } else {
    number = free_.back();
    free_.pop_back();
  }
  Flow& flow = flows_[number];
  flow = {};
  flow.ends = ends;
  flow.hash = hash;
  flow.first = flow.last = flow.activity_last = flow.told_alive = now;
  flow.used = true;
  index_.insert(hash, number);
  return number;
}

bool PacketFlows::source_opened(const PacketEvent& event) const {
  if (event.protocol != Protocol::tcp || event.tcp_flags == 0) return true;
  if ((event.tcp_flags & kTcpSyn) != 0) return (event.tcp_flags & kTcpAck) == 0;
  return first_end_opened(options_.networks, event.source, event.source_port, event.destination,
                          event.destination_port);
}

FlowEvent& PacketFlows::report(Flow& flow, FlowEventKind kind, Timestamp time) {
  FlowEvent& event = reports_.emplace_back();
  event.kind = kind;
  event.begins_check_in = kind == FlowEventKind::open || kind == FlowEventKind::burst;
  event.pair.source = flow.a_opened ? flow.ends.a : flow.ends.b;
  event.pair.destination = flow.a_opened ? flow.ends.b : flow.ends.a;
  event.pair.port = flow.a_opened ? flow.ends.b_port : flow.ends.a_port;
  event.pair.protocol = static_cast<Protocol>(flow.ends.protocol);
  event.source_port = flow.a_opened ? flow.ends.a_port : flow.ends.b_port;
  event.time = time;
  return event;
}

void PacketFlows::take(std::uint64_t node, const PacketEvent& event) {
  bool from_a = false;
  const Ends ends = ends_of(node, event, from_a);
  const std::uint32_t hash = hash_of(ends);
  std::uint32_t number = find(ends, hash);
  const Timestamp now = event.time;

  if (number != HashIndex::kNone) {
    const Flow& flow = flows_[number];
    const Duration silence = now - flow.last;
    const bool anew = is_syn(event) && (flow.closed || silence > kLongestSynRetry ||
                                        (flow.answered && silence > options_.burst_gap));
    if (anew || silence > flow.patience()) {
      release(number);
      number = HashIndex::kNone;
    }
  }
  const bool is_new = number == HashIndex::kNone;
  if (is_new) {
    number = create(ends, hash, now);
    flows_[number].a_opened = source_opened(event) ? from_a : !from_a;
  }
  Flow& flow = flows_[number];
  const bool bare = is_bare(event);
  const bool silent = now - flow.activity_last > options_.burst_gap;
  // Before everything that is known of the flow: a late packet, told of for itself alone.
  const bool early = now < flow.first - options_.burst_gap;
  flow.last = std::max(flow.last, now);
  flow.answered |= !is_syn(event);

  const bool begins = is_new || (!bare && (silent || early));
  if (begins || (!bare && flow.batch != batch_)) {
    flow.report = static_cast<std::uint32_t>(reports_.size());
    flow.batch = batch_;
    FlowEvent& told = report(flow, is_new ? FlowEventKind::open : FlowEventKind::burst, now);
    told.begins_check_in = begins;
  }
  if (begins || !silent) flow.activity_last = std::max(flow.activity_last, now);
  if (flow.batch == batch_ && (begins || !silent)) {
    FlowEvent& told = reports_[flow.report];
    told.duration = std::max(told.duration, std::chrono::duration_cast<Duration>(now - told.time));
    if (event.size > 0 && (!bare || event.size > kLongestBareAck)) {
      std::uint64_t& bytes = from_a == flow.a_opened ? told.bytes_out : told.bytes_in;
      bytes = add_bytes(bytes, event.size);
    }
  }
  if (is_end(event) && !flow.closed) {
    flow.closed = true;
    report(flow, FlowEventKind::close, now);
  } else if (!flow.closed && now - flow.told_alive >= kAliveEvery) {
    flow.told_alive = now;
    report(flow, FlowEventKind::alive, flow.first).duration = now - flow.first;
  }
}

void PacketFlows::add(std::string_view node, std::vector<PacketEvent>& events, FlowSink& sink) {
  const auto earlier = [](const PacketEvent& x, const PacketEvent& y) { return x.time < y.time; };
  if (!std::is_sorted(events.begin(), events.end(), earlier)) {
    std::stable_sort(events.begin(), events.end(), earlier);
  }
  const std::uint64_t number = fnv1a(node);
  const std::lock_guard lock(mutex_);
  ++batch_;
  reports_.clear();
  for (const PacketEvent& event : events)
    take(number, event);
  for (const FlowEvent& report : reports_)
    sink.add(report);
  sink.settle();
}

void PacketFlows::restore(std::string_view node, const FlowEvent& event) {
  if (event.kind == FlowEventKind::named) return;
  PacketEvent packet;
  packet.time = event.time;
  packet.source = event.pair.source;
  packet.destination = event.pair.destination;
  packet.source_port = event.source_port;
  packet.destination_port = event.pair.port;
  packet.protocol = event.pair.protocol;
  const std::lock_guard lock(mutex_);
  bool from_a = false;
  const Ends ends = ends_of(fnv1a(node), packet, from_a);
  const std::uint32_t hash = hash_of(ends);
  std::uint32_t number = find(ends, hash);
  if (number != HashIndex::kNone && event.kind == FlowEventKind::open) {
    release(number);
    number = HashIndex::kNone;
  }
  if (number == HashIndex::kNone) {
    number = create(ends, hash, event.time);
    flows_[number].a_opened = from_a;
  }
  Flow& flow = flows_[number];
  const Timestamp end = event.time + event.duration;
  flow.last = std::max(flow.last, end);
  if (event.kind == FlowEventKind::alive) {
    flow.told_alive = std::max(flow.told_alive, end);
  } else if (event.kind != FlowEventKind::close) {
    flow.activity_last = std::max(flow.activity_last, end);
  }
  flow.closed |= event.kind == FlowEventKind::close;
  flow.answered = true;
}

std::size_t PacketFlows::flows() const {
  const std::lock_guard lock(mutex_);
  return index_.size();
}

std::uint64_t PacketFlows::evicted() const {
  const std::lock_guard lock(mutex_);
  return evicted_;
}

}  // namespace beaconry
