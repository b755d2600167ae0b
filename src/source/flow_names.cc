#include "source/flow_names.h"

#include <algorithm>
#include <cstring>

namespace beaconry {
namespace {

// An entry with its share of the table's empty slots, which grow by doubling.
constexpr std::uint64_t kEntryBytes = 56, kNameBytes = 120;

}  // namespace

std::uint64_t FlowNames::hash(std::string_view id) {
  std::uint64_t state = 0x9e3779b97f4a7c15ULL ^ id.size();
  const auto mix = [&](std::uint64_t word) {
    const auto product = static_cast<unsigned __int128>(state ^ word) * 0xa0761d6478bd642fULL;
    state = static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
    state += 0xd6e8feb86659fd93ULL;
  };
  while (id.size() > 8) {
    std::uint64_t word;
    std::memcpy(&word, id.data(), 8);
    mix(word);
    id.remove_prefix(8);
  }
  std::uint64_t word = 0;
  std::memcpy(&word, id.data(), id.size());
  mix(word);
  mix(0);
  return state;
}

void FlowNames::forget(std::uint64_t id) {
  Shard& part = shard(id);
  const std::lock_guard lock(part.mutex);
  if (part.entries.erase(id) > 0) {
    entries_.fetch_sub(1, std::memory_order_relaxed);
    memory_.fetch_sub(kEntryBytes);
  }
  if (part.bursts.erase(id) > 0) memory_.fetch_sub(kEntryBytes);
}

std::vector<FlowNames::Saved> FlowNames::save() const {
  std::vector<Saved> all;
  all.reserve(entries_);
  for (const Shard& part : shards_) {
    for (const auto& [id, entry] : part.entries) {
      Saved one{id, Timestamp{Duration{entry.last_time}}, entry.kind, names_[entry.name]};
      if (const auto bytes = part.bursts.find(id); bytes != part.bursts.end()) {
        one.burst_out = bytes->second.out;
        one.burst_in = bytes->second.in;
      }
      all.push_back(one);
    }
  }
  std::sort(all.begin(), all.end(), [](const Saved& a, const Saved& b) { return a.id < b.id; });
  return all;
}

bool FlowNames::restore(const Saved& flow) {
  if (learn(flow.id, flow.kind, flow.name, flow.time) == Learnt::full) return false;
  count_burst(flow.id, flow.burst_out, flow.burst_in);
  return true;
}

std::uint64_t FlowNames::shrink(std::uint64_t memory) {
  auto all = save();
  std::sort(all.begin(), all.end(), [](const Saved& a, const Saved& b) { return a.time > b.time; });
  std::deque<std::string> texts;  // what `all` looks at
  texts.swap(names_);
  names_.emplace_back();
  name_index_.clear();
  for (Shard& part : shards_) {
    part.entries.clear();
    part.bursts.clear();
  }
  entries_ = memory_ = 0;
  std::size_t kept = 0;
  while (kept < all.size() && memory_ <= memory && restore(all[kept]))
    ++kept;
  return all.size() - kept;
}

bool FlowNames::reserve(std::uint64_t bytes) {
  if (memory_.fetch_add(bytes) + bytes <= memory_limit_) return true;
  memory_.fetch_sub(bytes);
  return false;
}

std::uint32_t FlowNames::intern(std::string_view name) {
  if (name.empty()) return 0;
  const std::lock_guard lock(names_mutex_);
  const auto found = name_index_.find(name);
  if (found != name_index_.end()) return found->second;
  if (!reserve(kNameBytes + name.size())) return 0;
  const auto index = static_cast<std::uint32_t>(names_.size());
  names_.emplace_back(name);
  name_index_.emplace(names_.back(), index);
  return index;
}

std::string_view FlowNames::name_at(std::uint32_t index) const {
  const std::lock_guard lock(names_mutex_);
  return names_[index];
}

FlowNames::Learnt FlowNames::learn(std::uint64_t id, NameKind kind, std::string_view name,
                                   Timestamp time) {
  const std::uint32_t index = intern(name);
  if (index == 0) kind = NameKind::none;
  if (index == 0 && !name.empty()) return Learnt::full;
  const std::int64_t now = time.time_since_epoch().count();
  Shard& part = shard(id);
  const std::lock_guard lock(part.mutex);
  const auto found = part.entries.find(id);
  if (found == part.entries.end()) {
    if (!reserve(kEntryBytes)) return Learnt::full;
    part.entries.emplace(id, Entry{now, index, kind});
    entries_.fetch_add(1, std::memory_order_relaxed);
    return Learnt::first;
  }
  Entry& entry = found->second;
  // Rotated logs may be read out of order, so a row long before the others counts, too.
  const std::int64_t since = now - entry.last_time;
  const bool apart = since >= burst_gap_.count() || -since >= burst_gap_.count();
  const bool other = kind == entry.kind && index != entry.name;
  if (since > 0) entry.last_time = now;
  if (kind > entry.kind) {
    entry.kind = kind;
    entry.name = index;
  }
  return apart || other ? Learnt::activity : Learnt::same;
}

void FlowNames::count_burst(std::uint64_t id, std::uint64_t bytes_out, std::uint64_t bytes_in) {
  if (bytes_out == kUnknownBytes) bytes_out = 0;
  if (bytes_in == kUnknownBytes) bytes_in = 0;
  if (bytes_out == 0 && bytes_in == 0) return;
  Shard& part = shard(id);
  const std::lock_guard lock(part.mutex);
  auto found = part.bursts.find(id);
  if (found == part.bursts.end()) {
    if (!reserve(kEntryBytes)) return;
    found = part.bursts.emplace(id, Bytes{}).first;
  }
  found->second.out += bytes_out;
  found->second.in += bytes_in;
}

FlowNames::Known FlowNames::find(std::uint64_t id) const {
  Known known;
  const Shard& part = shard(id);
  std::uint32_t name = 0;
  {
    const std::lock_guard lock(part.mutex);
    const auto found = part.entries.find(id);
    if (found == part.entries.end()) return known;
    known.kind = found->second.kind;
    name = found->second.name;
    if (const auto bytes = part.bursts.find(id); bytes != part.bursts.end()) {
      known.burst_out = bytes->second.out;
      known.burst_in = bytes->second.in;
    }
  }
  known.name = name_at(name);
  return known;
}

void subtract_bursts(const FlowNames::Known& known, FlowEvent& flow) {
  const auto take = [](std::uint64_t& total, std::uint64_t part) {
    if (total != kUnknownBytes) total -= std::min(total, part);
  };
  take(flow.bytes_out, known.burst_out);
  take(flow.bytes_in, known.burst_in);
}

}  // namespace beaconry
