#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash_index.h"
#include "base/paged_vector.h"
#include "flow/flow_event.h"
#include "series/name_table.h"

namespace beaconry {

// A flow that is still open, as last reported.
struct OpenFlow {
  std::string edge;
  PairKey key;
  std::uint16_t source_port = 0;
  std::string server_name;
  Timestamp opened{}, last_seen{};
  Timestamp open_until{};  // known to be open until then: silence of an open flow counts
  std::uint64_t bytes_out = kUnknownBytes, bytes_in = kUnknownBytes;
};

// The flows that edges have said to be open and not to be closed. Bounded; what finds no room is
// counted. Not thread-safe. The table of names outlives it.
class OpenFlows {
 public:
  OpenFlows(NameTable& names, std::size_t most) : names_(names), most_(most) {}

  void set_most(std::size_t most) { most_ = most; }
  std::uint16_t edge_number(const std::string& edge);

  // `heard` is the server's time.
  void add(std::uint16_t edge, const FlowEvent& event, Timestamp heard);
  // Closes, of `count` slots from `first` on, what was not heard of since `before`. False: that was
  // the last slice.
  bool expire(Timestamp before, std::size_t first, std::size_t count);

  // Those known to have been open for at least so long, the oldest first; `total`: how many there
  // are, also past the limit.
  std::vector<OpenFlow> list(Duration at_least, std::size_t limit,
                             std::uint64_t* total = nullptr) const;
  std::size_t size() const { return index_.size(); }
  std::uint64_t dropped() const { return dropped_; }
  std::size_t memory_bytes() const { return flows_.memory_bytes() + index_.memory_bytes(); }

 private:
  struct Flow {
    PairKey pair;
    std::uint16_t source_port = 0, edge = 0;
    NameTable::Id name = 0;
    bool open = false;
    Timestamp opened{}, last_seen{}, open_until{}, heard{};
    std::uint64_t bytes_out = kUnknownBytes, bytes_in = kUnknownBytes;
  };
  static std::uint32_t hash_of(std::uint16_t edge, const PairKey& pair, std::uint16_t port);
  void close(std::uint32_t number);

  NameTable& names_;
  std::size_t most_;
  std::vector<std::string> edges_;
  PagedVector<Flow, 8> flows_;
  std::vector<std::uint32_t> free_;
  HashIndex index_;
  std::uint64_t dropped_ = 0;
};

}  // namespace beaconry
