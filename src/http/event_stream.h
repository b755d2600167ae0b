#pragma once
#include <functional>
#include <mutex>
#include <string>

#include "http/message.h"

namespace beaconry {

// The server's side of an EventStream: bytes wait here until the loop takes them.
class EventQueue final : public EventStream {
 public:
  explicit EventQueue(std::size_t most_bytes) : most_bytes_(most_bytes) {}

  // Any thread.
  bool push(std::string_view event, std::string_view data, std::string_view id) override;
  bool is_open() const override;
  void close() override;

  // On the loop. `wake` is called by whoever pushes, under this object's lock, when there is
  // something to take or the end has come; once until the next take().
  void attach(std::function<void()> wake);
  void detach();            // the client is gone
  std::string take();       // all that waits; what was taken before counts as sent
  bool overflowed() const;  // closed since its client was too slow

 private:
  void tell();

  const std::size_t most_bytes_;
  mutable std::mutex mutex_;
  std::function<void()> wake_;
  std::string waiting_;
  std::size_t being_sent_ = 0;
  bool told_ = false, open_ = true, overflowed_ = false;
};

// One event as text/event-stream has it. Line breaks in `data` become lines, in the others blanks.
std::string event_text(std::string_view event, std::string_view data, std::string_view id);

}  // namespace beaconry
