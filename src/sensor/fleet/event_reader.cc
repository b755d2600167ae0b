#include "sensor/fleet/event_reader.h"

#include <utility>

namespace beaconry {

bool EventReader::take(std::string_view piece, const std::function<void(const Event&)>& on_event) {
  while (!piece.empty()) {
    const std::size_t end = piece.find_first_of("\r\n");
    const std::string_view part = piece.substr(0, end);
    if (line_.size() + part.size() + event_.data.size() > longest_) return false;
    line_ += part;
    if (!part.empty()) after_return_ = false;
    if (end == std::string_view::npos) return true;
    const bool is_rest = piece[end] == '\n' && std::exchange(after_return_, false);
    after_return_ = piece[end] == '\r';
    piece.remove_prefix(end + 1);
    if (!is_rest) end_of_line(on_event);
  }
  return true;
}

void EventReader::end_of_line(const std::function<void(const Event&)>& on_event) {
  const std::string line = std::exchange(line_, {});
  if (line.empty()) {
    const Event event = std::exchange(event_, {});
    if (std::exchange(has_data_, false)) on_event(event);
    return;
  }
  const std::size_t colon = line.find(':');
  const std::string_view field = std::string_view(line).substr(0, colon);
  std::string_view value;
  if (colon != std::string::npos) value = std::string_view(line).substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (field == "event") event_.name = value;
  if (field != "data") return;
  if (std::exchange(has_data_, true)) event_.data += '\n';
  event_.data += value;
}

}  // namespace beaconry
