#include "sensor/services/recent_events.h"

#include <algorithm>
#include <utility>

#include "base/file.h"
#include "base/text.h"
#include "bus/topics.h"

namespace beaconry {
namespace {

constexpr std::size_t kMostEvents = 2000, kMostBytes = 4 << 20;

std::size_t size_of(const Services::KeptEvent& kept) {
  return sizeof kept + kept.instance.size() + kept.event.data_json.size() +
         kept.event.message.size() + kept.event.type.size();
}

}  // namespace

// A line an event: the instance (or -), a blank, the event as on the bus.
void RecentEvents::read() {
  const auto text = read_small_file(file_, 2 * kMostBytes);
  if (!text) return;  // none yet, or lost: they are with the server
  for (const std::string_view line : split(*text, '\n')) {
    const std::size_t blank = line.find(' ');
    if (blank == std::string_view::npos) continue;
    auto event = decode_event(line.substr(blank + 1));
    if (!event) continue;
    std::string instance(line.substr(0, blank));
    if (instance == "-") instance.clear();
    add({std::move(instance), std::move(*event)});
  }
  changed_ = false;
}

Result<void> RecentEvents::write() {
  if (!changed_) return {};
  std::string text;
  text.reserve(bytes_);
  for (const auto& kept : events_) {
    text += kept.instance.empty() ? "-" : kept.instance;
    text += " " + encode(kept.event) + "\n";
  }
  auto written = replace_file(file_, text);
  if (written) changed_ = false;
  return written;
}

void RecentEvents::add(Services::KeptEvent event) {
  bytes_ += size_of(event);
  bytes_of_[event.instance] += size_of(event);
  events_.push_back(std::move(event));
  changed_ = true;
  while (events_.size() > kMostEvents || bytes_ > kMostBytes)
    drop_one();
}

// One that floods pushes out its own.
void RecentEvents::drop_one() {
  const auto most =
      std::max_element(bytes_of_.begin(), bytes_of_.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; });
  const auto oldest = std::find_if(events_.begin(), events_.end(),
                                   [&](const auto& kept) { return kept.instance == most->first; });
  const std::size_t bytes = size_of(*oldest);
  bytes_ -= bytes;
  if ((most->second -= bytes) == 0) bytes_of_.erase(most);
  events_.erase(oldest);
}

std::vector<Services::KeptEvent> RecentEvents::newest(const std::string& instance,
                                                      std::size_t most) const {
  std::vector<Services::KeptEvent> found;
  for (auto at = events_.rbegin(); at != events_.rend() && found.size() < most; ++at) {
    if (instance.empty() || at->instance == instance) found.push_back(*at);
  }
  return found;
}

void RecentEvents::each(const std::function<void(const Services::KeptEvent&)>& visit) const {
  for (const auto& kept : events_)
    visit(kept);
}

}  // namespace beaconry
