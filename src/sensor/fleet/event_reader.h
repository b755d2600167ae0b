#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace beaconry {

// Reads text/event-stream as it comes in pieces: a peer's bytes, so an event is bounded. Comments,
// ids and what is not known are left out.
class EventReader {
 public:
  struct Event {
    std::string name;  // empty: "message"
    std::string data;  // lines with '\n' between them
  };
  explicit EventReader(std::size_t longest) : longest_(longest) {}

  // False: an event was too long; the stream is to be given up.
  bool take(std::string_view piece, const std::function<void(const Event&)>& on_event);

 private:
  void end_of_line(const std::function<void(const Event&)>& on_event);

  const std::size_t longest_;
  std::string line_;
  Event event_;
  bool has_data_ = false, after_return_ = false;
};

}  // namespace beaconry
