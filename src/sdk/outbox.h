#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "bus/messages.h"

namespace beaconry::sdk {

// An instrument's events that the platform has not yet on its own disk, oldest first. In a file
// each outlives the process when put() returns, and a power cut when sync() does; what a kill left
// half written is dropped at the next start. Bounded in number and bytes. One thread.
class Outbox {
 public:
  static constexpr std::size_t kMostEvents = 10'000;
  static constexpr std::size_t kMostBytes = 4 << 20;  // as JSON; the file takes up to thrice that
  // On the way at one time: the broker's queue to the platform is shared by all instruments.
  static constexpr std::size_t kWindow = 128;

  // In the first of the folders that takes a file; in none of them: in memory only.
  static Outbox open(const std::vector<std::string>& folders);

  // ErrorKind::limit: it is full. ErrorKind::io: the disk did not take it. Neither is in it then.
  Result<void> put(const Event& event);
  // One for all since the last: a sync for each would bound a burst by the disk.
  Result<void> sync();
  std::size_t unsynced() const { return unsynced_; }
  // The platform has it or will never take it. False: it was not there any more.
  bool remove(std::string_view uuid);

  // The next to be said, if the window has room for it; said() counts it as on its way.
  const std::string* next() const;
  void said();
  // After a new connection, or a long silence: all are said again, in their order.
  void rewind();

  std::size_t size() const { return events_.size(); }
  std::size_t bytes() const { return bytes_; }
  std::size_t on_the_way() const { return on_the_way_; }
  std::uint64_t refused() const { return refused_; }  // by put()
  std::uint64_t spoilt() const { return spoilt_; }    // lines of the file that were no events
  const std::string& file() const { return path_; }   // empty: memory

 private:
  struct Waiting {
    std::string uuid, json;
  };

  bool open_file(const std::string& folder);
  void read(std::string_view content);
  void take(std::string uuid, std::string json);
  Result<void> append(std::string line);
  Result<void> take_back(tl::unexpected<Error> error);
  void compact();

  std::map<std::uint64_t, Waiting> events_;  // by their order
  std::unordered_map<std::string, std::uint64_t> by_uuid_;
  std::uint64_t last_ = 0;      // of the orders given
  std::uint64_t next_ = 1;      // to be said: the first order from here on
  std::size_t on_the_way_ = 0;  // of events_, said and not removed
  std::size_t bytes_ = 0;       // of events_
  std::size_t file_bytes_ = 0, unsynced_ = 0;
  std::uint64_t refused_ = 0, spoilt_ = 0;
  std::string path_;
  Fd file_;
  bool torn_ = false;     // the file ends in half a line that could not be cut off
  bool is_full_ = false;  // the last removal could not be written; said once
};

}  // namespace beaconry::sdk
