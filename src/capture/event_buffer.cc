#include "capture/event_buffer.h"

#include <utility>

namespace beaconry {

void EventBuffer::keep(Kind kind, const FlowEvent& event, std::string_view text) {
  if (entries_.size() >= most_) {
    ++dropped_;
    return;
  }
  entries_.push_back({kind, event, text_.size(), text.size()});
  entries_.back().event.server_name = entries_.back().event.id = {};
  text_ += text;
}

void EventBuffer::add(const FlowEvent& event) {
  keep(Kind::event, event, event.server_name);
}

void EventBuffer::add_host_name(const IpAddress& host, std::string_view name, Timestamp time) {
  FlowEvent event;
  event.pair.source = host;
  event.time = time;
  keep(Kind::host, event, name);
}

void EventBuffer::add_address_name(const IpAddress& address, std::string_view name,
                                   Timestamp time) {
  FlowEvent event;
  event.pair.source = address;
  event.time = time;
  keep(Kind::address, event, name);
}

void EventBuffer::hand_to(FlowSink& sink) {
  for (Entry& entry : entries_) {
    const auto text = std::string_view(text_).substr(entry.text_at, entry.text_size);
    switch (entry.kind) {
      case Kind::event:
        entry.event.server_name = text;
        sink.add(entry.event);
        break;
      case Kind::host:
        sink.add_host_name(entry.event.pair.source, text, entry.event.time);
        break;
      case Kind::address:
        sink.add_address_name(entry.event.pair.source, text, entry.event.time);
        break;
    }
  }
  entries_.clear();
  text_.clear();
}

void EventBuffer::swap(EventBuffer& other) noexcept {
  entries_.swap(other.entries_);
  text_.swap(other.text_);
}

}  // namespace beaconry
