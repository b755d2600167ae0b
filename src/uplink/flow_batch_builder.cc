#include <absl/container/flat_hash_map.h>
#include <uplink.pb.h>  // generated

#include <algorithm>
#include <deque>

#include "uplink/batch_counters.h"
#include "uplink/flow_batch.h"
#include "uplink/wire.h"
#include "uplink/zstd_frame.h"

namespace beaconry {
namespace {

constexpr int kLevel = 3;  // the columns do the most; 1 saves no time and leaves a tenth more

Timestamp in_range(Timestamp time) {
  return std::clamp(time, kEarliest, kLatest);
}

}  // namespace

struct FlowBatchBuilder::Columns {
  uplink::FlowBatch batch;
  absl::flat_hash_map<IpAddress, std::uint32_t> addresses;
  absl::flat_hash_map<PairKey, std::uint32_t> pairs;
  absl::flat_hash_map<std::string_view, std::uint32_t> names;  // views into name_texts
  std::deque<std::string> name_texts;
  std::string buffer;
  std::int64_t base = 0, last = 0;
  bool has_base = false;
  bool has_ids = false;

  std::uint32_t address(const IpAddress& address) {
    const auto [place, is_new] =
        addresses.try_emplace(address, static_cast<std::uint32_t>(addresses.size()));
    if (is_new) {
      const auto& bytes = address.bytes();
      batch.mutable_addresses()->append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    }
    return place->second;
  }

  std::uint32_t pair(const PairKey& key) {
    const auto [place, is_new] = pairs.try_emplace(key, static_cast<std::uint32_t>(pairs.size()));
    if (is_new) {
      batch.add_pair_source(address(key.source));
      batch.add_pair_destination(address(key.destination));
      batch.add_pair_port(key.port);
      batch.add_pair_protocol(static_cast<std::uint32_t>(key.protocol));
    }
    return place->second;
  }

  std::uint32_t name(std::string_view raw) {
    const std::string_view text = uplink::cleaned(raw, buffer);
    if (text.empty()) return 0;
    const auto found = names.find(text);
    if (found != names.end()) return found->second;
    name_texts.emplace_back(text);
    const auto number = static_cast<std::uint32_t>(name_texts.size());
    names.emplace(name_texts.back(), number);
    batch.add_names(name_texts.back());
    return number;
  }

  std::int64_t time(Timestamp when) {
    const std::int64_t value = in_range(when).time_since_epoch().count();
    if (!has_base) {
      base = last = value;
      has_base = true;
      batch.set_base_us(base);
    }
    return value;
  }

  void id(std::string_view raw) {
    if (raw.empty() && !has_ids) return;
    const std::string_view text = uplink::cleaned(raw, buffer);
    while (batch.id_size() < batch.pair_size() - 1)
      batch.add_id();  // of the events before the first with one
    batch.add_id(text.data(), text.size());
    has_ids = true;
  }

  void clear() {
    batch.Clear();
    addresses.clear();
    pairs.clear();
    names.clear();
    name_texts.clear();
    base = last = 0;
    has_base = has_ids = false;
  }
};

FlowBatchBuilder::FlowBatchBuilder() : columns_(std::make_unique<Columns>()) {
  uplink::silence_protobuf();
}
FlowBatchBuilder::~FlowBatchBuilder() = default;

void FlowBatchBuilder::add(const FlowEvent& event) {
  Columns& c = *columns_;
  const std::uint32_t name = event.name_kind == NameKind::none ? 0 : c.name(event.server_name);
  unsigned kind = static_cast<unsigned>(event.kind);
  if (event.begins_check_in && event.kind != FlowEventKind::alive) kind |= uplink::kBeginsCheckIn;
  if (name != 0) kind |= static_cast<unsigned>(event.name_kind) << uplink::kNameKindShift;
  c.batch.mutable_kind()->push_back(static_cast<char>(kind));
  c.batch.add_pair(c.pair(event.pair));
  c.batch.add_source_port(event.source_port);
  const std::int64_t time = c.time(event.time);
  c.batch.add_time(time - c.last);
  c.last = time;
  const Duration duration = std::clamp(event.duration, Duration{0}, kLatest - kEarliest);
  c.batch.add_duration(static_cast<std::uint64_t>(duration.count()));
  c.batch.add_bytes_out(event.bytes_out + 1);  // kUnknownBytes + 1 is 0
  c.batch.add_bytes_in(event.bytes_in + 1);
  c.batch.add_name(name);
  c.id(event.id);
}

void FlowBatchBuilder::add_host_name(const IpAddress& host, std::string_view name, Timestamp time) {
  Columns& c = *columns_;
  const std::uint32_t number = c.name(name);
  if (number == 0) return;
  c.batch.add_host_name_address(c.address(host));
  c.batch.add_host_name(number);
  const std::int64_t value = c.time(time);
  c.batch.add_host_name_time(value - c.base);
}

void FlowBatchBuilder::add_address_name(const IpAddress& address, std::string_view name,
                                        Timestamp time) {
  Columns& c = *columns_;
  const std::uint32_t number = c.name(name);
  if (number == 0) return;
  c.batch.add_address_name_address(c.address(address));
  c.batch.add_address_name(number);
  const std::int64_t value = c.time(time);
  c.batch.add_address_name_time(value - c.base);
}

std::size_t FlowBatchBuilder::events() const {
  return columns_->batch.kind().size();
}

std::string FlowBatchBuilder::finish(Timestamp made, const std::vector<EdgeCounter>& counters) {
  Columns& c = *columns_;
  c.batch.set_made_us(in_range(made).time_since_epoch().count());
  uplink::put_counters(counters, *c.batch.mutable_counters(), c.buffer);
  const std::string plain = c.batch.SerializeAsString();
  c.clear();
  return uplink::compress(plain, kLevel);
}

}  // namespace beaconry
