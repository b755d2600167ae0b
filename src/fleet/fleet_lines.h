#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "http/message.h"

namespace beaconry {

// The connections that sensors keep open, one each: what is told to a sensor at once goes here. No
// thread waits for any of them. Any thread may call.
class FleetLines {
 public:
  static constexpr std::size_t kMostWaiting = std::size_t{9} << 20;  // bytes, of a slow sensor

  // A stream of its own, which ends the one before: that is a connection that died, or another
  // machine with the same key. `version`: what the sensor has.
  std::shared_ptr<EventStream> open(const std::string& sensor, std::uint64_t version);
  // The signed document, which `make` makes, unless the sensor has this version or a later one by
  // this line. False: it is not there now, or has it.
  bool tell(const std::string& sensor, std::uint64_t version,
            const std::function<std::string()>& make);
  bool ask(const std::string& sensor, std::string_view json);  // false: it is not there now
  bool is_there(const std::string& sensor) const;
  std::size_t count() const;  // of those that are there
  void close(const std::string& sensor);
  void close();

 private:
  struct Line {
    std::mutex mutex;
    std::shared_ptr<EventStream> stream;
    std::uint64_t told = 0;
  };
  std::shared_ptr<Line> find(const std::string& sensor) const;

  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Line>, std::less<>> lines_;
};

}  // namespace beaconry
