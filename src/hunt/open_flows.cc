#include "hunt/open_flows.h"

#include <absl/hash/hash.h>

#include <algorithm>
#include <limits>

namespace beaconry {
namespace {

constexpr std::size_t kMostEdges = std::numeric_limits<std::uint16_t>::max();

}  // namespace

std::uint16_t OpenFlows::edge_number(const std::string& edge) {
  const auto found = std::find(edges_.begin(), edges_.end(), edge);
  const auto number = static_cast<std::size_t>(found - edges_.begin());
  if (found == edges_.end() && number < kMostEdges) edges_.push_back(edge);
  return static_cast<std::uint16_t>(std::min(number, kMostEdges - 1));
}

std::uint32_t OpenFlows::hash_of(std::uint16_t edge, const PairKey& pair, std::uint16_t port) {
  return static_cast<std::uint32_t>(absl::HashOf(pair, port, edge));
}

void OpenFlows::close(std::uint32_t number) {
  Flow& flow = flows_[number];
  index_.erase(hash_of(flow.edge, flow.pair, flow.source_port), number);
  if (flow.name != 0) names_.release(flow.name);
  flow = Flow{};
  free_.push_back(number);
}

void OpenFlows::add(std::uint16_t edge, const FlowEvent& event, Timestamp heard) {
  // A close that begins a check-in is a whole flow that was never open here.
  if (event.kind == FlowEventKind::close && event.begins_check_in) return;
  const std::uint32_t hash = hash_of(edge, event.pair, event.source_port);
  std::uint32_t number = index_.find(hash, [&](std::uint32_t n) {
    const Flow& f = flows_[n];
    return f.source_port == event.source_port && f.edge == edge && f.pair == event.pair;
  });
  if (event.kind == FlowEventKind::close) {
    if (number != HashIndex::kNone) close(number);
    return;
  }
  const bool opens = event.kind == FlowEventKind::open || event.kind == FlowEventKind::alive;
  if (number == HashIndex::kNone) {
    if (!opens) return;
    if (index_.size() >= most_) {
      ++dropped_;
      return;
    }
    if (free_.empty()) {
      number = static_cast<std::uint32_t>(flows_.size());
      flows_.emplace_back();
    } else {
      number = free_.back();
      free_.pop_back();
    }
    index_.insert(hash, number);
    Flow& fresh = flows_[number];
    fresh.pair = event.pair;
    fresh.source_port = event.source_port;
    fresh.edge = edge;
    fresh.open = true;
    fresh.opened = event.time;
  }
  Flow& flow = flows_[number];
  flow.heard = heard;
  if (opens) flow.opened = event.time;  // another flow from the same port, or the same one again
  flow.last_seen = event.time + event.duration;
  // Only `alive` says that a flow that was silent since is still there.
  flow.open_until =
      event.kind == FlowEventKind::alive ? std::max(heard, flow.last_seen) : flow.last_seen;
  if (opens) {
    flow.bytes_out = event.bytes_out;
    flow.bytes_in = event.bytes_in;
  } else if (event.kind == FlowEventKind::burst) {
    flow.bytes_out = add_bytes(flow.bytes_out, event.bytes_out);
    flow.bytes_in = add_bytes(flow.bytes_in, event.bytes_in);
  }
  if (!event.server_name.empty()) {
    const NameTable::Id before = flow.name;
    flow.name = names_.intern(event.server_name);
    names_.use(flow.name);
    if (before != 0) names_.release(before);
  }
}

bool OpenFlows::expire(Timestamp before, std::size_t first, std::size_t count) {
  const std::size_t end = std::min(flows_.size(), first + count);
  for (std::size_t i = first; i < end; ++i) {
    if (flows_[i].open && flows_[i].heard < before) close(static_cast<std::uint32_t>(i));
  }
  return end < flows_.size();
}

std::vector<OpenFlow> OpenFlows::list(Duration at_least, std::size_t limit,
                                      std::uint64_t* total) const {
  std::vector<const Flow*> found;
  for (const Flow& flow : flows_) {
    if (flow.open && flow.open_until - flow.opened >= at_least) found.push_back(&flow);
  }
  const auto before = [](const Flow* a, const Flow* b) {
    if (a->opened != b->opened) return a->opened < b->opened;
    if (a->pair != b->pair) return a->pair < b->pair;
    return a->source_port < b->source_port;
  };
  if (total != nullptr) *total = found.size();
  const std::size_t kept = std::min(limit, found.size());
  std::partial_sort(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(kept), found.end(),
                    before);
  std::vector<OpenFlow> list;
  list.reserve(kept);
  for (std::size_t i = 0; i < kept; ++i) {
    const Flow& f = *found[i];
    list.push_back({edges_[f.edge], f.pair, f.source_port, std::string(names_.name(f.name)),
                    f.opened, f.last_seen, f.open_until, f.bytes_out, f.bytes_in});
  }
  return list;
}

}  // namespace beaconry
