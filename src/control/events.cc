#include "control/events.h"

#include <string>

namespace beaconry {

std::shared_ptr<EventStream> EventHub::listen() {
  const std::lock_guard lock(mutex_);
  std::erase_if(streams_, [](const auto& stream) { return !stream->is_open(); });
  if (streams_.size() >= kMostListeners) return nullptr;
  streams_.push_back(EventStream::make());
  return streams_.back();
}

void EventHub::publish(std::string_view event, std::string_view json) {
  const std::lock_guard lock(mutex_);
  const std::string id = std::to_string(next_id_++);
  std::erase_if(streams_, [&](const auto& stream) { return !stream->push(event, json, id); });
}

std::size_t EventHub::listeners() const {
  const std::lock_guard lock(mutex_);
  return streams_.size();
}

void EventHub::close() {
  const std::lock_guard lock(mutex_);
  for (const auto& stream : streams_)
    stream->close();
  streams_.clear();
}

}  // namespace beaconry
