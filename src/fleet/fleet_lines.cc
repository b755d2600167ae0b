#include "fleet/fleet_lines.h"

#include <algorithm>
#include <utility>

namespace beaconry {

std::shared_ptr<EventStream> FleetLines::open(const std::string& sensor, std::uint64_t version) {
  auto line = std::make_shared<Line>();
  line->stream = EventStream::make(kMostWaiting);
  line->told = version;
  auto stream = line->stream;
  {
    const std::lock_guard lock(mutex_);
    std::swap(lines_[sensor], line);
  }
  if (line) line->stream->close();
  return stream;
}

std::shared_ptr<FleetLines::Line> FleetLines::find(const std::string& sensor) const {
  const std::lock_guard lock(mutex_);
  const auto found = lines_.find(sensor);
  return found == lines_.end() ? nullptr : found->second;
}

bool FleetLines::tell(const std::string& sensor, std::uint64_t version,
                      const std::function<std::string()>& make) {
  const auto line = find(sensor);
  if (!line) return false;
  // Two that tell at once must not swap their versions.
  const std::lock_guard lock(line->mutex);
  if (line->told >= version || !line->stream->is_open()) return false;
  const std::string message = make();
  if (message.empty() || !line->stream->push("desired", message, std::to_string(version)))
    return false;
  line->told = version;
  return true;
}

bool FleetLines::ask(const std::string& sensor, std::string_view json) {
  const auto line = find(sensor);
  return line && line->stream->push("ask", json);
}

bool FleetLines::is_there(const std::string& sensor) const {
  const auto line = find(sensor);
  return line && line->stream->is_open();
}

std::size_t FleetLines::count() const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(std::count_if(lines_.begin(), lines_.end(), [](const auto& each) {
    return each.second->stream->is_open();
  }));
}

void FleetLines::close(const std::string& sensor) {
  std::shared_ptr<Line> line;
  {
    const std::lock_guard lock(mutex_);
    const auto found = lines_.find(sensor);
    if (found == lines_.end()) return;
    line = std::move(found->second);
    lines_.erase(found);
  }
  line->stream->close();
}

void FleetLines::close() {
  const std::lock_guard lock(mutex_);
  for (const auto& [sensor, line] : lines_)
    line->stream->close();
  lines_.clear();
}

}  // namespace beaconry
