#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "flow/flow_event.h"

namespace beaconry {

// A running total of an edge, sent with every batch.
struct EdgeCounter {
  std::string name;   // "packets", "ring_drops"
  std::string place;  // interface or source; may be empty
  std::uint64_t value = 0;
};

// What an envelope's content is.
enum class ContentKind : std::uint8_t {
  flows = 0,              // as FlowBatchBuilder::finish() made it
  observations = 1,       // as encode_observations() made it
  instrument_events = 2,  // as encode_instrument_events() made it
  relayed = 3,            // as encode_relayed() made it
};

// One batch on its way: who sent it and what stands for its content.
struct Envelope {
  std::string edge;  // SHA-256 of the edge's public key, 64 hex digits
  std::string edge_name;
  std::string incarnation;
  std::uint64_t sequence = 0;
  Timestamp sent{};
  std::string content;
  std::uint64_t batches_dropped = 0;
  ContentKind content_kind = ContentKind::flows;
};

std::string encode_envelope(const Envelope& envelope);
// Checks lengths and characters of what names the batch, and that its kind is known; the content
// stays as it is.
Result<Envelope> decode_envelope(std::string_view bytes);

// Gathers flow events and gives them as one batch's content.
class FlowBatchBuilder : public FlowSink {
 public:
  FlowBatchBuilder();
  ~FlowBatchBuilder() override;
  void add(const FlowEvent& event) override;
  void add_host_name(const IpAddress& host, std::string_view name, Timestamp time) override;
  void add_address_name(const IpAddress& address, std::string_view name, Timestamp time) override;

  std::size_t events() const;
  // Empties the builder. The bytes are compressed.
  std::string finish(Timestamp made, const std::vector<EdgeCounter>& counters);

 private:
  struct Columns;
  std::unique_ptr<Columns> columns_;
};

struct FlowBatchLimits {
  std::size_t most_bytes = std::size_t{64} << 20;  // decompressed
  std::size_t most_events = 4'000'000;
};

struct FlowBatchContent {
  Timestamp made{};
  std::vector<EdgeCounter> counters;
  std::uint64_t events = 0;
};

// Hands every event of a batch to `sink`, or refuses the batch as a whole before the first one:
// every index, length, enumerator and time is checked.
Result<FlowBatchContent> decode_flow_batch(std::string_view content, const FlowBatchLimits& limits,
                                           FlowSink& sink);

}  // namespace beaconry
