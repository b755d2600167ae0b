#pragma once
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "http/message.h"

namespace beaconry {

// Server-sent events to everybody who listens: "beacon", "alert", "fleet", "status". Any thread.
class EventHub {
 public:
  static constexpr std::size_t kMostListeners = 256;

  // Nothing if there are too many already.
  std::shared_ptr<EventStream> listen();
  void publish(std::string_view event, std::string_view json);
  std::size_t listeners() const;
  void close();  // the server ends: so do the streams

 private:
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<EventStream>> streams_;
  std::uint64_t next_id_ = 1;
};

}  // namespace beaconry
