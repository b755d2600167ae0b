#pragma once
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "sensor/services.h"

namespace beaconry {

// The newest events for whoever asks this machine; all of them are with the server. In memory, and
// in a file so that they are still there after a restart (the newest minute may be missing then).
// Past 2,000 or 4 MiB the oldest of whoever has most of them goes.
class RecentEvents {
 public:
  explicit RecentEvents(std::string file) : file_(std::move(file)) {}
  void read();
  Result<void> write();  // if anything came since
  void add(Services::KeptEvent event);
  std::vector<Services::KeptEvent> newest(const std::string& instance, std::size_t most) const;
  void each(const std::function<void(const Services::KeptEvent&)>& visit) const;

 private:
  void drop_one();

  std::string file_;
  std::deque<Services::KeptEvent> events_;       // oldest first
  std::map<std::string, std::size_t> bytes_of_;  // by instance
  std::size_t bytes_ = 0;
  bool changed_ = false;
};

}  // namespace beaconry
