#include "flow/flow_table.h"

#include <algorithm>
#include <charconv>
#include <random>

namespace beaconry {
namespace {

constexpr std::uint32_t kChunkBits = 8;
constexpr std::uint32_t kChunk = 1U << kChunkBits;

// A timestamp this far from the clock, to either side, is believed when the next packet agrees: one
// damaged record must not end all flows, nor may two do so for good.
constexpr Duration kLeap = std::chrono::minutes{1};
constexpr std::size_t kSweepPerPacket = 1;

bool is_tcp(const ParsedPacket& packet) {
  return packet.protocol == kProtocolTcp;
}

// Errors quote the packet that they answer; they open nothing (RFC 792, RFC 4443 §2.1).
bool is_icmp_error(const ParsedPacket& packet) {
  const std::uint8_t type = packet.icmp_type;
  if (packet.protocol == kProtocolIcmp) {
    return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
  }
  return packet.protocol == kProtocolIcmpv6 && type < 128;
}

bool is_echo_reply(const ParsedPacket& packet) {
  return (packet.protocol == kProtocolIcmp && packet.icmp_type == 0) ||
         (packet.protocol == kProtocolIcmpv6 && packet.icmp_type == 129);
}

bool sender_opened(const Networks& networks, const ParsedPacket& packet) {
  const auto by_place = [&] {
    return first_end_opened(networks, IpAddress::v6_bytes(packet.source), packet.source_port,
                            IpAddress::v6_bytes(packet.destination), packet.destination_port);
  };
  if (is_tcp(packet)) {
    if ((packet.tcp_flags & kTcpSyn) != 0) return (packet.tcp_flags & kTcpAck) == 0;
    return by_place();
  }
  if (is_echo_reply(packet)) return false;
  constexpr std::uint16_t kEphemeral = 1024;
  if (packet.source_port < kEphemeral && packet.destination_port >= kEphemeral) return by_place();
  return true;
}

}  // namespace

FlowTable::FlowTable(Options options, FlowSink& sink)
    : options_(std::move(options)), sink_(sink), names_(sink, options_.most_pending_bytes) {
  std::random_device device;
  seed_ = static_cast<std::uint64_t>(device()) << 32 | device();
  options_.most_flows = std::clamp<std::size_t>(options_.most_flows, 64, 1U << 30);
}

FlowState& FlowTable::flow_at(std::uint32_t number) {
  return chunks_[number >> kChunkBits][number & (kChunk - 1)];
}

PacketUse FlowTable::add_packet(const ParsedPacket& packet, Timestamp time, PacketId id) {
  if (packet.fragment == kLaterFragment) return PacketUse::later_fragment;
  if (is_icmp_error(packet)) return PacketUse::icmp_error;
  advance_clock(time);
  sweep(kSweepPerPacket, std::min(clock_, time));

  bool from_a = false;
  const FlowTuple tuple = FlowTuple::of(packet, from_a);
  const std::uint32_t hash = tuple.hash(seed_);
  std::uint32_t number =
      index_.find(hash, [&](std::uint32_t flow) { return flow_at(flow).tuple == tuple; });
  if (number != HashIndex::kNone) {
    FlowState& known = flow_at(number);
    if (time - known.last > patience(known) || known.begins_anew(packet, from_a)) {
      end_flow(known);
      release(number);
      number = HashIndex::kNone;
    }
  }
  if (number == HashIndex::kNone) {
    const bool opens = (packet.tcp_flags & kTcpSyn) != 0 ||
                       (packet.payload_length > 0 && (packet.tcp_flags & kTcpRst) == 0);
    if (is_tcp(packet) && !opens) return PacketUse::stray_segment;
    number = create(tuple, hash, packet, from_a, time, id);
  }
  update(flow_at(number), packet, from_a, time, id);
  return PacketUse::counted;
}

void FlowTable::update(FlowState& flow, const ParsedPacket& packet, bool from_a, Timestamp time,
                       PacketId id) {
  const bool tcp = is_tcp(packet);
  const bool syn = tcp && (packet.tcp_flags & kTcpSyn) != 0;
  if (syn && (packet.tcp_flags & kTcpAck) == 0 && !flow.syn_seen) flow.take_syn(packet, from_a);
  const bool from_opener = from_a == flow.a_opened;
  const unsigned end = from_opener ? 0 : 1;

  const std::uint64_t fresh = tcp ? flow.new_bytes(packet, end) : packet.payload_length;
  // An empty ICMP message is a message; an empty UDP datagram keeps a path open.
  const bool active = fresh > 0 || !(tcp || packet.protocol == kProtocolUdp);
  const bool silent = time - flow.activity_last >= options_.burst_gap ||
                      flow.activity_first - time >= options_.burst_gap;
  if (active && flow.at_rest) {
    flow.begin_activity(time, id);
  } else if (active && silent && flow.has_payload) {
    end_activity(flow);
    flow.begin_activity(time, id);
  }
  if (packet.payload_captured > 0 && !flow.name.settled && (active || flow.name.pending)) {
    read_names(flow, packet, from_opener, time, id);
  }
  if (active || syn || !silent) {
    flow.activity_first = std::min(flow.activity_first, time);
    flow.activity_last = std::max(flow.activity_last, time);
  }
  flow.has_payload |= active;
  flow.bytes[end] += fresh;
  flow.first = std::min(flow.first, time);
  flow.last = std::max(flow.last, time);
  if (tcp) flow.take_end(packet.tcp_flags, end, active || !silent);
}

void FlowTable::read_names(FlowState& flow, const ParsedPacket& packet, bool from_opener,
                           Timestamp time, PacketId id) {
  FlowNameReader::Payload payload;
  payload.bytes = ByteView(packet.payload, packet.payload_captured);
  payload.from_opener = from_opener;
  payload.responder_port = from_opener ? packet.destination_port : packet.source_port;
  payload.sequence = packet.tcp_sequence + ((packet.tcp_flags & kTcpSyn) != 0 ? 1 : 0);
  payload.at_start = flow.syn_seen;
  payload.start_sequence = flow.initial_sequence + 1;
  payload.time = time;

  FlowNameReader::Learnt learnt;
  if (packet.protocol == kProtocolTcp) {
    learnt = names_.read_tcp(flow.name, payload);
  } else if (packet.protocol == kProtocolUdp) {
    constexpr std::uint16_t kDhcpServer = 67, kDhcpClient = 68;
    const auto ports = std::minmax(packet.source_port, packet.destination_port);
    if (ports.first == kDhcpServer && ports.second <= kDhcpClient) {
      names_.read_dhcp(payload.bytes, time);
      return;
    }
    learnt = names_.read_udp(flow.name, payload);
  } else {
    flow.name.settled = true;
  }
  if (learnt.kind == NameKind::none || learnt.kind < flow.name.kind) return;
  if (learnt.kind == NameKind::dns_domain && flow.name.kind == NameKind::dns_domain) {
    if (!from_opener || learnt.text == flow.name.text) return;  // answers repeat the question
    if (flow.has_payload) {  // each domain that one socket asks for is a check-in of its own
      end_activity(flow);
      flow.begin_activity(time, id);
    }
  }
  flow.name.kind = learnt.kind;
  flow.name.text = learnt.text;
}

std::uint32_t FlowTable::create(const FlowTuple& tuple, std::uint32_t hash,
                                const ParsedPacket& packet, bool from_a, Timestamp time,
                                PacketId id) {
  if (index_.size() >= options_.most_flows) evict();
  std::uint32_t number;
  if (!free_.empty()) {
    number = free_.back();
    free_.pop_back();
  } else {
    number = created_++;
    if (number >> kChunkBits == chunks_.size())
      chunks_.push_back(std::make_unique<FlowState[]>(kChunk));
  }
  index_.insert(hash, number);
  FlowState& flow = flow_at(number);
  flow.begin(tuple, hash, time, id);
  flow.a_opened = sender_opened(options_.networks, packet) == from_a;
  return number;
}

Duration FlowTable::patience(const FlowState& flow) const {
  const bool by_protocol = options_.idle_timeout <= Duration{0} || flow.closed();
  return by_protocol ? flow.patience()
                     : std::max(options_.idle_timeout, FlowState::kLeastPatience);
}

void FlowTable::release(std::uint32_t number) {
  FlowState& flow = flow_at(number);
  flow.used = false;
  flow.name.pending.reset();
  index_.erase(flow.hash, number);
  free_.push_back(number);
}

// Many at once, so that looking for the longest idle costs little a flow.
void FlowTable::evict() {
  std::vector<std::pair<Timestamp, std::uint32_t>> all;
  all.reserve(index_.size());
  for (std::uint32_t number = 0; number < created_; ++number) {
    if (flow_at(number).used) all.emplace_back(flow_at(number).last, number);
  }
  const std::size_t count = all.size() / 16 + 1;
  std::nth_element(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count - 1), all.end());
  for (std::size_t i = 0; i < count; ++i) {
    end_flow(flow_at(all[i].second));
    release(all[i].second);
  }
  evicted_ += count;
}

void FlowTable::sweep(std::size_t count, Timestamp now) {
  for (; count > 0 && created_ > 0; --count) {
    hand_ = hand_ + 1 < created_ ? hand_ + 1 : 0;
    FlowState& flow = flow_at(hand_);
    const Duration silence = now - flow.last;
    if (silence <= FlowState::kLeastPatience || !flow.used) continue;
    if (silence <= patience(flow)) continue;
    end_flow(flow);
    release(hand_);
  }
}

void FlowTable::advance_clock(Timestamp time) {
  if (!clock_set_) {
    clock_ = leap_ = time;
    clock_set_ = true;
    return;
  }
  const bool ahead = time > clock_ + kLeap, behind = time < clock_ - kLeap;
  if (ahead || behind) {
    const bool same_way = ahead ? leap_ > clock_ : leap_ < clock_;
    const bool confirmed = same_way && time >= leap_ - kLeap;
    if (confirmed) clock_ = time;
    leap_ = time;
  } else {
    clock_ = leap_ = std::max(clock_, time);
  }
}

void FlowTable::expire(Timestamp now) {
  advance_clock(now);
  sweep(created_, now);
}

void FlowTable::report(Timestamp now) {
  expire(now);
  for (std::uint32_t number = 0; number < created_; ++number) {
    FlowState& flow = flow_at(number);
    if (!flow.used || flow.closed()) continue;
    const bool ended = flow.has_payload && now - flow.activity_last >= options_.burst_gap;
    if (ended && !(flow.reported && flow.is_farewell())) {
      end_activity(flow);
      flow.bytes[0] = flow.bytes[1] = 0;
      flow.has_payload = false;
      flow.at_rest = true;
    }
    // Only TCP says that a silent flow goes on.
    const bool goes_on = flow.tuple.protocol == kProtocolTcp || flow.last > last_report_;
    if (goes_on && flow.first <= last_report_) report_alive(flow);
  }
  last_report_ = now;
}

void FlowTable::report_alive(const FlowState& flow) {
  FlowEvent event;
  event.kind = FlowEventKind::alive;
  event.begins_check_in = false;
  event.time = flow.first;
  event.duration = flow.last - flow.first;
  event.bytes_out = flow.told[0] + flow.bytes[0];
  event.bytes_in = flow.told[1] + flow.bytes[1];
  report(flow, event, flow.first_id);
}

void FlowTable::finish() {
  for (std::uint32_t number = 0; number < created_; ++number) {
    if (!flow_at(number).used) continue;
    end_flow(flow_at(number));
    release(number);
  }
}

void FlowTable::end_activity(FlowState& flow) {
  FlowEvent event;
  event.kind = flow.reported ? FlowEventKind::burst : FlowEventKind::open;
  event.time = flow.activity_first;
  event.duration = flow.activity_last - flow.activity_first;
  event.bytes_out = flow.bytes[0];
  event.bytes_in = flow.bytes[1];
  flow.reported = true;
  flow.told[0] += flow.bytes[0];
  flow.told[1] += flow.bytes[1];
  report(flow, event, flow.activity_id);
}

void FlowTable::end_flow(FlowState& flow) {
  ++ended_;
  const bool whole = !flow.reported;
  if (!whole && !flow.at_rest && !flow.is_farewell()) {
    end_activity(flow);
    flow.bytes[0] = flow.bytes[1] = 0;
  }
  FlowEvent event;
  event.kind = FlowEventKind::close;
  event.begins_check_in = whole;
  event.time = flow.first;
  event.duration = flow.last - flow.first;
  event.bytes_out = flow.bytes[0];
  event.bytes_in = flow.bytes[1];
  report(flow, event, flow.first_id);
}

void FlowTable::report(const FlowState& flow, FlowEvent& event, PacketId id) {
  const FlowTuple& tuple = flow.tuple;
  const auto address = [](const std::uint64_t(&words)[2]) {
    return IpAddress::v6_bytes(reinterpret_cast<const std::uint8_t*>(words));
  };
  event.pair.source = address(flow.a_opened ? tuple.a : tuple.b);
  event.pair.destination = address(flow.a_opened ? tuple.b : tuple.a);
  event.pair.port = flow.a_opened ? tuple.b_port : tuple.a_port;
  event.source_port = flow.a_opened ? tuple.a_port : tuple.b_port;
  event.pair.protocol = static_cast<Protocol>(tuple.protocol);
  event.name_kind = flow.name.kind;
  event.server_name = flow.name.text;

  id_text_.clear();
  if (options_.file_names.size() > 1 && id.file < options_.file_names.size()) {
    id_text_ = options_.file_names[id.file];
    id_text_ += '#';
  }
  char digits[20];
  id_text_.append(digits, std::to_chars(digits, digits + sizeof digits, id.number).ptr);
  event.id = id_text_;
  sink_.add(event);
}

}  // namespace beaconry
