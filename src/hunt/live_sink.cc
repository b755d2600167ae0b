// How events come into a LiveHunt: gathered by each sink, and taken under the mutex a few hundred
// at a time.
#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "hunt/live_parts.h"

namespace beaconry {
namespace {

constexpr std::size_t kEvents = 256;
constexpr std::size_t kText = 16 << 10;               // of their names and ids together
constexpr Duration kAhead = std::chrono::hours{1};    // clocks differ; more is an error
constexpr Duration kSilence = std::chrono::hours{1};  // of an open flow, until it is given up

class LiveSink final : public FlowSink {
 public:
  LiveSink(LiveHunt::Parts& parts, std::uint16_t edge, Timestamp now)
      : parts_(parts), edge_(edge), now_(now) {
    events_.reserve(kEvents);
    text_.reserve(kText);
  }
  ~LiveSink() override { flush(); }
  LiveSink(const LiveSink&) = delete;
  LiveSink& operator=(const LiveSink&) = delete;

  void add(const FlowEvent& event) override {
    const std::size_t size = event.server_name.size() + event.id.size();
    if (events_.size() == kEvents || text_.size() + size > text_.capacity()) {
      flush();
      if (size > text_.capacity()) text_.reserve(size);
    }
    FlowEvent& copy = events_.emplace_back(event);
    copy.server_name = keep(event.server_name);
    copy.id = keep(event.id);
  }
  void settle() override { flush(); }
  void add_host_name(const IpAddress& host, std::string_view name, Timestamp time) override {
    const std::lock_guard lock(parts_.mutex);
    if (time <= now_ + kAhead) parts_.store.add_host_name(host, name, time);
  }
  void add_address_name(const IpAddress& address, std::string_view name, Timestamp time) override {
    const std::lock_guard lock(parts_.mutex);
    if (time <= now_ + kAhead) parts_.store.add_address_name(address, name, time);
  }

 private:
  // Into text_, which never grows while events wait: views into it stay.
  std::string_view keep(std::string_view text) {
    if (text.empty()) return {};
    const std::size_t at = text_.size();
    text_.insert(text_.end(), text.begin(), text.end());
    return {text_.data() + at, text.size()};
  }
  void flush() {
    if (events_.empty()) return;
    parts_.take(edge_, now_, events_);
    events_.clear();
    text_.clear();
  }

  LiveHunt::Parts& parts_;
  std::uint16_t edge_;
  Timestamp now_;
  std::vector<FlowEvent> events_;
  std::vector<char> text_;
};

}  // namespace

std::unique_ptr<FlowSink> LiveHunt::sink(std::string edge, Timestamp now) {
  std::uint16_t number = 0;
  {
    const std::lock_guard lock(parts_->mutex);
    number = parts_->flows.edge_number(edge);
  }
  return std::make_unique<LiveSink>(*parts_, number, now);
}

void LiveHunt::Parts::take(std::uint16_t edge, Timestamp now, std::span<const FlowEvent> events) {
  const std::lock_guard lock(mutex);
  const Timestamp from = std::max(now - settings->retention, store.from());
  for (const FlowEvent& event : events) {
    if (event.time > now + kAhead) {
      ++future_refused;
      continue;
    }
    ++events_added;
    flows.add(edge, event, now);
    if (!event.begins_check_in) continue;
    if (event.time < from) {
      ++too_old;
      continue;
    }
    newest = std::max(newest, std::min(event.time, now));
    store.add(event);
  }
}

void LiveHunt::expire(Timestamp now) {
  std::shared_ptr<const Settings> settings;
  {
    const std::lock_guard lock(parts_->mutex);
    settings = parts_->settings;
  }
  for (std::size_t first = 0;; first += Parts::kSlice) {
    const std::lock_guard lock(parts_->mutex);
    if (!parts_->store.expire(now - settings->retention, first, Parts::kSlice)) break;
  }
  for (std::size_t first = 0;; first += Parts::kSlice) {
    const std::lock_guard lock(parts_->mutex);
    if (!parts_->flows.expire(now - kSilence, first, Parts::kSlice)) break;
  }
}

}  // namespace beaconry
