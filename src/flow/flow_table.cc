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

}  // namespace

FlowTable::FlowTable(Options options, FlowSink& sink)
    : options_(std::move(options)), sink_(sink), names_(sink, options_.most_pending_bytes) {
  std::random_device device;
  seed_ = static_cast<std::uint64_t>(device()) << 32 | device();
  if (options_.idle_timeout > Duration{0}) {
    options_.idle_timeout = std::max(options_.idle_timeout, FlowState::kLeastPatience);
  }
  options_.most_flows = std::clamp<std::size_t>(options_.most_flows, 64, 1U << 30);
}

FlowState& FlowTable::flow_at(std::uint32_t number) {
  return chunks_[number >> kChunkBits][number & (kChunk - 1)];
}

PacketUse FlowTable::add_packet(const ParsedPacket& packet, Timestamp time, PacketId id) {
  if (packet.fragment == kLaterFragment) return PacketUse::later_fragment;
  if (is_icmp_error(&packet) != 0) return PacketUse::icmp_error;
  advance_clock(time);
  sweep(kSweepPerPacket, std::min(clock_, time));

  bool from_a = false;
  const FlowTuple tuple = FlowTuple::of(packet, from_a);
  const std::uint32_t hash = tuple.hash(seed_);
  std::uint32_t number =
      index_.find(hash, [&](std::uint32_t flow) { return flow_at(flow).tuple == tuple; });
  if (number != HashIndex::kNone) {
    FlowState& known = flow_at(number);
    const Duration silence = time - FlowState::timestamp(known.core.last);
    if (silence > known.patience(options_.idle_timeout) ||
        flow_begins_anew(&known.core, &packet, from_a) != 0) {
      end_flow(known);
      release(number);
      number = HashIndex::kNone;
    }
  }
  if (number == HashIndex::kNone) {
    if (flow_may_open(&packet) == 0) return PacketUse::stray_segment;
    number = create(tuple, hash, packet, from_a, time, id);
  }
  update(flow_at(number), packet, from_a, time, id);
  return PacketUse::counted;
}

void FlowTable::update(FlowState& flow, const ParsedPacket& packet, bool from_a, Timestamp time,
                       PacketId id) {
  const FlowTime now = FlowState::core_time(time);
  const FlowStep step = flow_take(&flow.core, &packet, from_a, now, options_.burst_gap.count());
  if (step.begins != 0) begin_activity(flow, time, id);
  const bool readable = packet.payload_captured > 0 && !flow.name.settled;
  if (readable && (step.active != 0 || flow.name.pending)) {
    read_names(flow, packet, from_a == (flow.core.a_opened != 0), time, id);
  }
  flow_settle(&flow.core, &packet, from_a, now, &step);
}

void FlowTable::read_names(FlowState& flow, const ParsedPacket& packet, bool from_opener,
                           Timestamp time, PacketId id) {
  FlowNameReader::Payload payload;
  payload.bytes = ByteView(packet.payload, packet.payload_captured);
  payload.from_opener = from_opener;
  payload.opener_port = from_opener ? packet.source_port : packet.destination_port;
  payload.responder_port = from_opener ? packet.destination_port : packet.source_port;
  payload.sequence = packet.tcp_sequence + ((packet.tcp_flags & kTcpSyn) != 0 ? 1 : 0);
  payload.at_start = flow.core.syn_seen != 0;
  payload.start_sequence = flow.core.initial_sequence + 1;
  payload.time = time;

  const FlowNameReader::Learnt learnt = names_.read(flow.name, packet.protocol, payload);
  if (learnt.kind == NameKind::none) return;
  // Each domain that one socket asks for is a check-in of its own.
  const bool asks_anew =
      learnt.kind == NameKind::dns_domain && flow.name.kind == NameKind::dns_domain;
  if (asks_anew && flow.core.has_payload != 0) begin_activity(flow, time, id);
  flow.name.kind = learnt.kind;
  flow.name.text = learnt.text;
}

void FlowTable::begin_activity(FlowState& flow, Timestamp time, PacketId id) {
  if (flow.core.at_rest == 0) end_activity(flow);
  flow_begin_activity(&flow.core, FlowState::core_time(time));
  flow.activity_id = id;
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
  flow.tuple = tuple;
  flow.hash = hash;
  flow.used = true;
  flow.name.clear();
  flow.first_id = flow.activity_id = id;
  flow_begin(&flow.core, &packet, from_a, FlowState::core_time(time));
  flow.core.a_opened = end_a_opened(tuple, flow.core, options_.networks) ? 1 : 0;
  flow.core.opener_known = 1;
  return number;
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
  std::vector<std::pair<FlowTime, std::uint32_t>> all;
  all.reserve(index_.size());
  for (std::uint32_t number = 0; number < created_; ++number) {
    if (flow_at(number).used) all.emplace_back(flow_at(number).core.last, number);
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
    const Duration silence = now - FlowState::timestamp(flow.core.last);
    if (silence <= FlowState::kLeastPatience || !flow.used) continue;
    if (silence <= flow.patience(options_.idle_timeout)) continue;
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
    FlowCore& core = flow.core;
    if (!flow.used || flow_is_closed(&core) != 0) continue;
    const bool ended = core.has_payload != 0 &&
                       now - FlowState::timestamp(core.activity_last) >= options_.burst_gap;
    if (ended && !(core.reported != 0 && flow_is_farewell(&core) != 0)) {
      end_activity(flow);
      flow_rest(&core);
    } else if (core.reported == 0 && core.has_payload == 0 &&
               now - FlowState::timestamp(core.activity_last) >= FlowState::kPayloadPatience) {
      end_activity(flow);  // not at rest: it goes on with its payload
    }
    // Only TCP says that a silent flow goes on.
    const bool goes_on =
        flow.tuple.protocol == kProtocolTcp || FlowState::timestamp(core.last) > last_report_;
    if (goes_on && FlowState::timestamp(core.first) <= last_report_) report_alive(flow);
  }
  last_report_ = now;
}

void FlowTable::report_alive(const FlowState& flow) {
  FlowEvent event;
  event.kind = FlowEventKind::alive;
  event.begins_check_in = false;
  event.time = FlowState::timestamp(flow.core.first);
  event.duration = Duration{flow.core.last - flow.core.first};
  report(flow, event, flow.core.bytes, flow.first_id);
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
  event.kind = flow.core.reported != 0 ? FlowEventKind::burst : FlowEventKind::open;
  event.time = FlowState::timestamp(flow.core.activity_first);
  event.duration = Duration{flow.core.activity_last - flow.core.activity_first};
  flow.core.reported = 1;
  report(flow, event, flow.activity_id);
}

void FlowTable::end_flow(FlowState& flow) {
  ++ended_;
  FlowCore& core = flow.core;
  const bool whole = core.reported == 0;
  // Without payload it was reported already, for want of it.
  const bool goes_out = core.at_rest == 0 && core.has_payload != 0;
  if (!whole && goes_out && flow_is_farewell(&core) == 0) {
    end_activity(flow);
    flow_rest(&core);
  }
  FlowEvent event;
  event.kind = FlowEventKind::close;
  event.begins_check_in = whole;
  event.time = FlowState::timestamp(core.first);
  event.duration = Duration{core.last - core.first};
  report(flow, event, flow.first_id);
}

void FlowTable::report(const FlowState& flow, FlowEvent& event, PacketId id) {
  const std::uint64_t bytes[2] = {flow_activity_bytes(&flow.core, 0),
                                  flow_activity_bytes(&flow.core, 1)};
  report(flow, event, bytes, id);
}

void FlowTable::report(const FlowState& flow, FlowEvent& event, const std::uint64_t (&bytes)[2],
                       PacketId id) {
  const FlowTuple& tuple = flow.tuple;
  const bool a_opened = flow.core.a_opened != 0;
  event.bytes_out = bytes[a_opened ? 0 : 1];
  event.bytes_in = bytes[a_opened ? 1 : 0];
  event.pair.source = tuple.address(a_opened);
  event.pair.destination = tuple.address(!a_opened);
  event.pair.port = a_opened ? tuple.b_port : tuple.a_port;
  event.source_port = a_opened ? tuple.a_port : tuple.b_port;
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
