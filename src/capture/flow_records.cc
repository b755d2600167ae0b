#include "capture/flow_records.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <random>

namespace beaconry {
namespace {

// What reading two clocks after another may seem to move them.
constexpr std::int64_t kStepUs = 5'000;
// Processors may see a jiffy late.
constexpr FlowTime kSlack = 2;

std::uint64_t new_seed() {
  std::random_device device;
  return static_cast<std::uint64_t>(device()) << 32 | device();
}

FlowTuple tuple_of(const FlowEnds& ends) {
  FlowTuple tuple;
  static_cast<FlowEnds&>(tuple) = ends;
  return tuple;
}

}  // namespace

FlowTime KernelClock::kernel_ticks_per_second() {
  timespec tick{};
  constexpr FlowTime kUsual = 250;
  if (clock_getres(CLOCK_MONOTONIC_COARSE, &tick) != 0 || tick.tv_nsec <= 0) return kUsual;
  return (1'000'000'000 + tick.tv_nsec / 2) / tick.tv_nsec;
}

void KernelClock::set(const ClockSample& sample, Timestamp now) {
  jiffies_ = static_cast<FlowTime>(sample.jiffies);
  const std::int64_t offset =
      now.time_since_epoch().count() - static_cast<std::int64_t>(sample.time_ns / 1000);
  if (set_) {
    const bool moved = std::abs(offset - offset_us_) > kStepUs;
    const bool confirmed = doubted_ && std::abs(offset - doubted_us_) <= kStepUs;
    doubted_ = moved && !confirmed;
    doubted_us_ = offset;
    if (!moved || !confirmed) return;
    ++steps_;
  }
  offset_us_ = offset;
  set_ = true;
}

Timestamp KernelClock::utc(std::uint64_t monotonic_ns) const {
  return Timestamp{Duration{offset_us_ + static_cast<std::int64_t>(monotonic_ns / 1000)}};
}

Duration KernelClock::length(FlowTime ticks) const {
  return Duration{ticks * 1'000'000 / ticks_per_second_};
}

FlowTime KernelClock::ticks(Duration length) const {
  return (length.count() * ticks_per_second_ + 999'999) / 1'000'000;
}

FlowRecords::FlowRecords(Options options, FlowSink& sink)
    : options_(std::move(options)),
      sink_(sink),
      clock_(std::max<FlowTime>(options_.ticks_per_second, 1)),
      names_(sink, options_.most_pending_bytes),
      flows_(0, Hash{new_seed()}) {}

FlowRecords::Flow& FlowRecords::flow_of(const FlowEnds& ends, const FlowSaved& saved) {
  const auto [place, inserted] = flows_.try_emplace(Key{tuple_of(ends), saved.first_ns});
  Flow& flow = place->second;
  if (inserted) {
    ++opened_;
    flow.activity = saved.core.activity;
  }
  flow.scan = scan_;
  // Forward only: records of one flow come in the order of its packets.
  if (static_cast<std::int32_t>(saved.core.activity - flow.activity) > 0) {
    flow.activity = saved.core.activity;
    flow.bytes_out[0] = flow.bytes_out[1] = 0;
    flow.part_ns = 0;
    flow.done = false;
  }
  return flow;
}

bool FlowRecords::add(ByteView bytes) {
  FlowRecord record;
  if (bytes.size() < sizeof record) {
    ++malformed_;
    return false;
  }
  std::memcpy(&record, bytes.data(), sizeof record);
  const ByteView payload = bytes.subspan(sizeof record);
  if (record.captured > payload.size()) {
    ++malformed_;
    return false;
  }
  switch (record.kind) {
    case kRecordOpen:
    case kRecordNamed:
      read_payload(record, payload.first(record.captured));
      return true;
    case kRecordBurst: {
      Flow& flow = flow_of(record.ends, record.flow);
      if (flow.activity == record.flow.core.activity) {
        report_part(flow, record.ends, record.flow);
        flow.done = true;
      }
      return true;
    }
    case kRecordClose:
      end(record.ends, record.flow);
      return true;
    default:
      ++malformed_;
      return false;
  }
}

bool FlowRecords::look(const FlowEnds& ends, const FlowSaved& saved) {
  const FlowCore& core = saved.core;
  const FlowTime now = clock_.jiffies();
  const FlowTime idle = clock_.ticks(options_.idle_timeout);
  if (now - core.last > flow_patience(&core, ends.protocol, clock_.ticks_per_second(), idle)) {
    return true;
  }
  Flow& flow = flow_of(ends, saved);
  if (flow_is_closed(&core) != 0) return false;
  // A good-bye waits for the close, and an activity without payload for a while for its first.
  const bool over = now - core.activity_last >= clock_.ticks(options_.burst_gap) + kSlack &&
                    core.has_payload != 0 && !(flow.reported && flow_is_farewell(&core) != 0);
  const bool silent = core.has_payload == 0 && !flow.reported &&
                      now - core.activity_last >= clock_.ticks(FlowState::kPayloadPatience);
  if (over || silent) {
    report_part(flow, ends, saved);
    flow.done = true;
  }
  // Only TCP says that a silent flow goes on.
  const bool goes_on = ends.protocol == kProtocolTcp || core.last > last_scan_;
  if (goes_on && core.first <= last_scan_) {
    FlowEvent event;
    event.kind = FlowEventKind::alive;
    event.begins_check_in = false;
    event.time = clock_.utc(saved.first_ns);
    event.duration = clock_.length(core.last - core.first);
    send(event, flow, ends, saved, core.bytes);
  }
  return false;
}

void FlowRecords::end(const FlowEnds& ends, const FlowSaved& saved) {
  Flow& flow = flow_of(ends, saved);
  const bool whole = !flow.reported;
  if (!whole && !flow.done && flow_is_farewell(&saved.core) == 0) report_part(flow, ends, saved);
  const std::uint64_t rest[2] = {flow_activity_bytes(&saved.core, 0) - flow.bytes_out[0],
                                 flow_activity_bytes(&saved.core, 1) - flow.bytes_out[1]};
  FlowEvent event;
  event.kind = FlowEventKind::close;
  event.begins_check_in = whole;
  event.time = clock_.utc(saved.first_ns);
  event.duration = clock_.length(saved.core.last - saved.core.first);
  send(event, flow, ends, saved, rest);
  flows_.erase(Key{tuple_of(ends), saved.first_ns});
  ++closed_;
}

void FlowRecords::end_scan() {
  // One scan may miss an entry that was made while it went on.
  std::erase_if(flows_, [&](const auto& entry) { return scan_ - entry.second.scan >= 2; });
  ++scan_;
  last_scan_ = clock_.jiffies();
}

// What of its activity did not go out yet.
void FlowRecords::report_part(Flow& flow, const FlowEnds& ends, const FlowSaved& saved) {
  const FlowCore& core = saved.core;
  const std::uint64_t bytes[2] = {flow_activity_bytes(&core, 0), flow_activity_bytes(&core, 1)};
  const std::uint64_t rest[2] = {bytes[0] - flow.bytes_out[0], bytes[1] - flow.bytes_out[1]};
  if (flow.done && rest[0] + rest[1] == 0) return;
  const Duration whole = clock_.length(core.activity_last - core.activity_first);
  FlowEvent event;
  event.kind = flow.reported ? FlowEventKind::burst : FlowEventKind::open;
  event.time = clock_.utc(saved.activity_ns);
  event.duration = whole;
  if (flow.done && flow.bytes_out[0] + flow.bytes_out[1] != 0) {
    // It went on after it seemed over: the ring was full when it should have begun anew.
    event.time += whole;
    event.duration = Duration{0};
  } else if (flow.part_ns > saved.activity_ns) {
    event.time = clock_.utc(flow.part_ns);
    event.duration = std::max(whole - (event.time - clock_.utc(saved.activity_ns)), Duration{0});
  }
  flow.reported = true;
  flow.bytes_out[0] = bytes[0];
  flow.bytes_out[1] = bytes[1];
  send(event, flow, ends, saved, rest);
}

bool FlowRecords::opened_by_a(const Flow& flow, const FlowEnds& ends,
                              const FlowSaved& saved) const {
  if (flow.opener_stands) return flow.a_opened;
  return end_a_opened(tuple_of(ends), saved.core, options_.networks);
}

void FlowRecords::send(FlowEvent& event, Flow& flow, const FlowEnds& ends, const FlowSaved& saved,
                       const std::uint64_t (&bytes)[2]) {
  const FlowTuple tuple = tuple_of(ends);
  flow.a_opened = opened_by_a(flow, ends, saved);
  flow.opener_stands = true;
  const bool a_opened = flow.a_opened;
  event.bytes_out = bytes[a_opened ? 0 : 1];
  event.bytes_in = bytes[a_opened ? 1 : 0];
  event.pair.source = tuple.address(a_opened);
  event.pair.destination = tuple.address(!a_opened);
  event.pair.port = a_opened ? tuple.b_port : tuple.a_port;
  event.source_port = a_opened ? tuple.a_port : tuple.b_port;
  event.pair.protocol = static_cast<Protocol>(tuple.protocol);
  event.name_kind = flow.name.kind;
  event.server_name = flow.name.text;
  sink_.add(event);
}

void FlowRecords::read_payload(const FlowRecord& record, ByteView bytes) {
  Flow& flow = flow_of(record.ends, record.flow);
  if (bytes.empty() || flow.name.settled) return;
  if (record.active == 0 && !flow.name.pending) return;
  const bool a_opened = opened_by_a(flow, record.ends, record.flow);
  FlowNameReader::Payload payload;
  payload.bytes = bytes;
  payload.from_opener = (record.from_a != 0) == a_opened;
  payload.opener_port = a_opened ? record.ends.a_port : record.ends.b_port;
  payload.responder_port = a_opened ? record.ends.b_port : record.ends.a_port;
  payload.sequence = record.sequence + ((record.tcp_flags & kTcpSyn) != 0 ? 1 : 0);
  payload.at_start = record.flow.core.syn_seen != 0;
  payload.start_sequence = record.flow.core.initial_sequence + 1;
  payload.time = clock_.utc(record.time_ns);

  const FlowNameReader::Learnt learnt = names_.read(flow.name, record.ends.protocol, payload);
  if (learnt.kind == NameKind::none) return;
  // Each domain that one socket asks for is a check-in of its own.
  const bool asks_anew =
      learnt.kind == NameKind::dns_domain && flow.name.kind == NameKind::dns_domain;
  if (asks_anew && record.kind == kRecordNamed && !flow.done &&
      flow.activity == record.flow.core.activity) {
    const FlowCore& core = record.flow.core;
    const bool has_payload = flow_activity_bytes(&core, 0) > flow.bytes_out[0] ||
                             flow_activity_bytes(&core, 1) > flow.bytes_out[1];
    if (has_payload) {
      report_part(flow, record.ends, record.flow);
      flow.part_ns = record.time_ns;
    }
  }
  flow.name.kind = learnt.kind;
  flow.name.text = learnt.text;
}

}  // namespace beaconry
