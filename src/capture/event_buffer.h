#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "flow/flow_event.h"

namespace beaconry {

// Keeps what a thread of its own reports until another hands it on. One thread at a time. Past
// `most` entries what comes is dropped and counted. Events lose their ids: packet numbers mean
// nothing live.
class EventBuffer final : public FlowSink {
 public:
  explicit EventBuffer(std::size_t most) : most_(most) {}

  void add(const FlowEvent& event) override;
  void add_host_name(const IpAddress& host, std::string_view name, Timestamp time) override;
  void add_address_name(const IpAddress& address, std::string_view name, Timestamp time) override;

  // Hands all to `sink`, in order, and forgets it.
  void hand_to(FlowSink& sink);
  void swap(EventBuffer& other) noexcept;
  std::uint64_t dropped() const { return dropped_; }  // ever

 private:
  enum class Kind : std::uint8_t { event, host, address };
  struct Entry {
    Kind kind = Kind::event;
    FlowEvent event;  // of names: pair.source and time
    std::size_t text_at = 0, text_size = 0;
  };
  void keep(Kind kind, const FlowEvent& event, std::string_view text);

  std::size_t most_;
  std::vector<Entry> entries_;
  std::string text_;
  std::uint64_t dropped_ = 0;
};

}  // namespace beaconry
