#include "http/event_stream.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace beaconry {
namespace {

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += ": ";
  for (const char c : value)
    out.push_back(c == '\n' || c == '\r' || c == '\0' ? ' ' : c);
  out += '\n';
}

}  // namespace

std::shared_ptr<EventStream> EventStream::make(std::size_t most_bytes) {
  return std::make_shared<EventQueue>(most_bytes);
}

std::string event_text(std::string_view event, std::string_view data, std::string_view id) {
  std::string out;
  if (!id.empty()) append_field(out, "id", id);
  if (!event.empty()) append_field(out, "event", event);
  for (std::string_view line : split(data, '\n')) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    append_field(out, "data", line);
  }
  out += '\n';
  return out;
}

bool EventQueue::push(std::string_view event, std::string_view data, std::string_view id) {
  const std::string text = event_text(event, data, id);
  const std::lock_guard lock(mutex_);
  if (!open_) return false;
  if (waiting_.size() + being_sent_ + text.size() > most_bytes_) {
    open_ = false;
    overflowed_ = true;
  } else {
    waiting_ += text;
  }
  tell();
  return open_;
}

bool EventQueue::is_open() const {
  const std::lock_guard lock(mutex_);
  return open_;
}

void EventQueue::close() {
  const std::lock_guard lock(mutex_);
  if (!std::exchange(open_, false)) return;
  tell();
}

void EventQueue::attach(std::function<void()> wake) {
  const std::lock_guard lock(mutex_);
  wake_ = std::move(wake);
  if (!waiting_.empty() || !open_) tell();
}

void EventQueue::detach() {
  const std::lock_guard lock(mutex_);
  open_ = false;
  wake_ = nullptr;
}

std::string EventQueue::take() {
  const std::lock_guard lock(mutex_);
  told_ = false;
  being_sent_ = waiting_.size();
  return std::exchange(waiting_, {});
}

bool EventQueue::overflowed() const {
  const std::lock_guard lock(mutex_);
  return overflowed_;
}

void EventQueue::tell() {
  if (wake_ && !std::exchange(told_, true)) wake_();
}

}  // namespace beaconry
