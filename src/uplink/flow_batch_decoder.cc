#include <google/protobuf/arena.h>
#include <uplink.pb.h>  // generated

#include <algorithm>
#include <array>

#include "uplink/batch_counters.h"
#include "uplink/flow_batch.h"
#include "uplink/wire.h"
#include "uplink/zstd_frame.h"

namespace beaconry {
namespace {

using uplink::FlowBatch;

tl::unexpected<Error> malformed(std::string cause) {
  return fail(ErrorKind::malformed, "read", "batch", std::move(cause));
}

using uplink::past;

std::size_t count_varints(std::string_view bytes) {
  return static_cast<std::size_t>(
      std::count_if(bytes.begin(), bytes.end(), [](char c) { return c >= 0; }));
}

constexpr std::uint32_t kLastField = FlowBatch::kCountersFieldNumber;

// What a batch holds, counted before objects are made of it. By field number; [0]: unknown fields.
using FieldCounts = std::array<std::size_t, kLastField + 1>;

bool is_packed(std::uint32_t field) {
  return field != FlowBatch::kAddressesFieldNumber && field != FlowBatch::kNamesFieldNumber &&
         field != FlowBatch::kKindFieldNumber && field != FlowBatch::kIdFieldNumber &&
         field != FlowBatch::kCountersFieldNumber;
}

Result<FieldCounts> count_fields(std::string_view plain, const FlowBatchLimits& limits) {
  constexpr std::size_t kMostOthers = 1024;
  FieldCounts counts{};
  uplink::WireReader reader(plain);
  uplink::WireField field;
  while (reader.next(field)) {
    const std::uint32_t number = field.number <= kLastField ? field.number : 0;
    std::size_t entries = 1;
    if (field.type == 2 && number != 0 && is_packed(number)) entries = count_varints(field.bytes);
    std::size_t& count = counts[number];
    count += entries;
    if (number == 0 && count > kMostOthers) return past("unknown fields", kMostOthers);
    if (number == FlowBatch::kCountersFieldNumber) {
      if (count > uplink::kMostCounters) return past("counters", uplink::kMostCounters);
      if (!uplink::has_at_most(field.bytes, kMostOthers)) {
        return past("fields of a counter", kMostOthers);
      }
    }
    if (count > limits.most_events) return past("entries in a column", limits.most_events);
  }
  if (reader.malformed())
    return malformed("it is no beaconry.uplink.FlowBatch (proto/uplink.proto)");
  return counts;
}

// Growing by doubling would leave as much again in the arena.
void reserve(FlowBatch& batch, const FieldCounts& counts) {
  const auto of = [&](int field) { return static_cast<int>(counts[static_cast<unsigned>(field)]); };
  batch.mutable_names()->Reserve(of(FlowBatch::kNamesFieldNumber));
  batch.mutable_pair_source()->Reserve(of(FlowBatch::kPairSourceFieldNumber));
  batch.mutable_pair_destination()->Reserve(of(FlowBatch::kPairDestinationFieldNumber));
  batch.mutable_pair_port()->Reserve(of(FlowBatch::kPairPortFieldNumber));
  batch.mutable_pair_protocol()->Reserve(of(FlowBatch::kPairProtocolFieldNumber));
  batch.mutable_pair()->Reserve(of(FlowBatch::kPairFieldNumber));
  batch.mutable_source_port()->Reserve(of(FlowBatch::kSourcePortFieldNumber));
  batch.mutable_time()->Reserve(of(FlowBatch::kTimeFieldNumber));
  batch.mutable_duration()->Reserve(of(FlowBatch::kDurationFieldNumber));
  batch.mutable_bytes_out()->Reserve(of(FlowBatch::kBytesOutFieldNumber));
  batch.mutable_bytes_in()->Reserve(of(FlowBatch::kBytesInFieldNumber));
  batch.mutable_name()->Reserve(of(FlowBatch::kNameFieldNumber));
  batch.mutable_id()->Reserve(of(FlowBatch::kIdFieldNumber));
}

template <class Number>
bool all_below(const google::protobuf::RepeatedField<Number>& column, std::uint64_t bound) {
  Number highest = 0;  // no branch in the loop: it becomes vector code
  for (const Number value : column)
    highest = std::max(highest, value);
  return column.empty() || highest < bound;
}

bool in_range(std::int64_t time) {
  return time >= kEarliest.time_since_epoch().count() && time <= kLatest.time_since_epoch().count();
}

// Everything that the events' making relies on. The cause of a refusal, or nothing.
const char* find_fault(const FlowBatch& batch) {
  const int events = batch.pair_size();
  const auto addresses = static_cast<std::uint64_t>(batch.addresses().size() / 16);
  const auto names = static_cast<std::uint64_t>(batch.names_size());
  const int pairs = batch.pair_source_size();
  if (!in_range(batch.made_us())) return "made_us is not in years 1970 to 2200";
  if (!in_range(batch.base_us())) return "base_us is not in years 1970 to 2200";
  if (batch.addresses().size() % 16 != 0) return "addresses is no multiple of 16 bytes";
  for (const std::string& name : batch.names()) {
    if (name.empty() || !uplink::is_text(name))
      return "a name is empty, too long or not plain text";
  }
  if (const char* fault = uplink::find_counter_fault(batch.counters())) return fault;

  if (batch.pair_destination_size() != pairs || batch.pair_port_size() != pairs ||
      batch.pair_protocol_size() != pairs) {
    return "the columns of the pairs differ in length";
  }
  if (!all_below(batch.pair_source(), addresses) ||
      !all_below(batch.pair_destination(), addresses)) {
    return "a pair names an address that is not there";
  }
  if (!all_below(batch.pair_port(), 1U << 16)) return "a pair's port is past 65535";
  if (!all_below(batch.pair_protocol(), 1U << 8)) return "a pair's protocol is past 255";

  if (batch.kind().size() != static_cast<std::size_t>(events) ||
      batch.source_port_size() != events || batch.time_size() != events ||
      batch.duration_size() != events || batch.bytes_out_size() != events ||
      batch.bytes_in_size() != events || batch.name_size() != events ||
      (batch.id_size() != 0 && batch.id_size() != events)) {
    return "the columns of the events differ in length";
  }
  if (!all_below(batch.pair(), static_cast<std::uint64_t>(pairs))) {
    return "an event names a pair that is not there";
  }
  if (!all_below(batch.source_port(), 1U << 16)) return "a source port is past 65535";
  if (!all_below(batch.duration(), static_cast<std::uint64_t>((kLatest - kEarliest).count()) + 1)) {
    return "a duration is longer than 230 years";
  }
  if (!all_below(batch.name(), names + 1)) return "an event names a name that is not there";
  for (int i = 0; i < events; ++i) {
    const unsigned kind = static_cast<std::uint8_t>(batch.kind()[static_cast<std::size_t>(i)]);
    const unsigned event_kind = kind & uplink::kEventKindMask;
    const unsigned name_kind = kind >> uplink::kNameKindShift;
    if (event_kind > static_cast<unsigned>(FlowEventKind::close) ||
        name_kind > static_cast<unsigned>(NameKind::connect_target)) {
      return "an event's kind is unknown";
    }
    if (event_kind == static_cast<unsigned>(FlowEventKind::alive) &&
        (kind & uplink::kBeginsCheckIn) != 0) {
      return "an event of kind alive begins a check-in";
    }
    if ((name_kind == 0) != (batch.name(i) == 0)) return "an event's name and its kind disagree";
  }
  std::int64_t time = batch.base_us();
  for (const std::int64_t step : batch.time()) {
    if (__builtin_add_overflow(time, step, &time) || !in_range(time)) {
      return "an event's time is not in years 1970 to 2200";
    }
  }
  for (const std::string& id : batch.id()) {
    if (!uplink::is_text(id)) return "an event's id is too long or not plain text";
  }
  return nullptr;
}

// The names of hosts or of addresses: three columns.
template <class Indices, class Times>
const char* find_fault(const FlowBatch& batch, const Indices& addresses, const Indices& names,
                       const Times& times) {
  if (addresses.size() != names.size() || addresses.size() != times.size()) {
    return "the columns of the hosts' and addresses' names differ in length";
  }
  if (!all_below(addresses, batch.addresses().size() / 16)) {
    return "a name is for an address that is not there";
  }
  const auto is_name = [&](std::uint32_t name) {
    return name != 0 && name <= static_cast<std::uint64_t>(batch.names_size());
  };
  if (!std::all_of(names.begin(), names.end(), is_name)) {
    return "an address has a name that is not there";
  }
  for (const std::int64_t offset : times) {
    std::int64_t time = 0;
    if (__builtin_add_overflow(batch.base_us(), offset, &time) || !in_range(time)) {
      return "a name's time is not in years 1970 to 2200";
    }
  }
  return nullptr;
}

// Memory for a batch's objects, kept from one batch to the next of a thread: fresh pages would cost
// as much as the decoding. Larger batches take the rest from the heap; so does a batch that is
// decoded while another is handed over.
class Memory {
 public:
  Memory() : arena_(options(!is_taken())), has_kept_(!is_taken()) { is_taken() = true; }
  ~Memory() {
    if (has_kept_) is_taken() = false;
  }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  google::protobuf::Arena* arena() { return &arena_; }

 private:
  static bool& is_taken() {
    thread_local bool taken = false;
    return taken;
  }
  static google::protobuf::ArenaOptions options(bool with_kept) {
    constexpr std::size_t kKept = std::size_t{8} << 20;
    thread_local const std::unique_ptr<char[]> kept(new char[kKept]);
    google::protobuf::ArenaOptions options;
    if (with_kept) {
      options.initial_block = kept.get();
      options.initial_block_size = kKept;
    }
    options.start_block_size = options.max_block_size = std::size_t{1} << 20;
    return options;
  }

  google::protobuf::Arena arena_;
  bool has_kept_;
};

IpAddress address_at(const FlowBatch& batch, std::uint32_t index) {
  return IpAddress::v6_bytes(reinterpret_cast<const std::uint8_t*>(batch.addresses().data()) +
                             std::size_t{index} * 16);
}

Timestamp timestamp(std::int64_t microseconds) {
  return Timestamp{Duration{microseconds}};
}

void hand_over_events(const FlowBatch& batch, FlowSink& sink) {
  std::vector<PairKey> pairs(static_cast<std::size_t>(batch.pair_source_size()));
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const int at = static_cast<int>(i);
    pairs[i] = {address_at(batch, batch.pair_source(at)),
                address_at(batch, batch.pair_destination(at)),
                static_cast<std::uint16_t>(batch.pair_port(at)),
                static_cast<Protocol>(batch.pair_protocol(at))};
  }
  std::vector<std::string_view> names{{}};  // 0 is none
  for (const std::string& name : batch.names())
    names.push_back(name);
  const bool has_ids = batch.id_size() != 0;
  std::int64_t time = batch.base_us();
  FlowEvent event;
  for (int i = 0; i < batch.pair_size(); ++i) {
    const unsigned kind = static_cast<std::uint8_t>(batch.kind()[static_cast<std::size_t>(i)]);
    event.kind = static_cast<FlowEventKind>(kind & uplink::kEventKindMask);
    event.begins_check_in = (kind & uplink::kBeginsCheckIn) != 0;
    event.name_kind = static_cast<NameKind>(kind >> uplink::kNameKindShift);
    event.pair = pairs[batch.pair(i)];
    event.source_port = static_cast<std::uint16_t>(batch.source_port(i));
    time += batch.time(i);
    event.time = timestamp(time);
    event.duration = Duration{static_cast<std::int64_t>(batch.duration(i))};
    event.bytes_out = batch.bytes_out(i) - 1;  // 0 is unknown
    event.bytes_in = batch.bytes_in(i) - 1;
    event.server_name = names[batch.name(i)];
    if (has_ids) event.id = batch.id(i);
    sink.add(event);
  }
}

void hand_over_names(const FlowBatch& batch, FlowSink& sink) {
  const auto name_at = [&](std::uint32_t number) -> const std::string& {
    return batch.names(static_cast<int>(number) - 1);
  };
  for (int i = 0; i < batch.host_name_size(); ++i) {
    sink.add_host_name(address_at(batch, batch.host_name_address(i)), name_at(batch.host_name(i)),
                       timestamp(batch.base_us() + batch.host_name_time(i)));
  }
  for (int i = 0; i < batch.address_name_size(); ++i) {
    sink.add_address_name(address_at(batch, batch.address_name_address(i)),
                          name_at(batch.address_name(i)),
                          timestamp(batch.base_us() + batch.address_name_time(i)));
  }
}

}  // namespace

Result<FlowBatchContent> decode_flow_batch(std::string_view content, const FlowBatchLimits& limits,
                                           FlowSink& sink) {
  uplink::silence_protobuf();
  const std::size_t most_bytes = std::min<std::size_t>(limits.most_bytes, INT32_MAX);
  const auto plain = uplink::decompress(content, most_bytes);
  if (!plain) return tl::unexpected<Error>(plain.error());
  const auto counts = count_fields({plain->bytes.get(), plain->size}, limits);
  if (!counts) return tl::unexpected<Error>(counts.error());

  Memory memory;
  FlowBatch& batch = *google::protobuf::Arena::CreateMessage<FlowBatch>(memory.arena());
  reserve(batch, *counts);
  if (!batch.ParseFromArray(plain->bytes.get(), static_cast<int>(plain->size))) {
    return malformed("it is no beaconry.uplink.FlowBatch (proto/uplink.proto)");
  }
  const char* fault = find_fault(batch);
  if (fault == nullptr) {
    fault = find_fault(batch, batch.host_name_address(), batch.host_name(), batch.host_name_time());
  }
  if (fault == nullptr) {
    fault = find_fault(batch, batch.address_name_address(), batch.address_name(),
                       batch.address_name_time());
  }
  if (fault != nullptr) return malformed(fault);

  FlowBatchContent result;
  result.made = timestamp(batch.made_us());
  result.events = static_cast<std::uint64_t>(batch.pair_size());
  result.counters = uplink::take_counters(batch.counters());
  hand_over_names(batch, sink);  // first: events may want them
  hand_over_events(batch, sink);
  return result;
}

}  // namespace beaconry
