#pragma once
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "source/read_report.h"

namespace beaconry {

// Says on standard error how far reading has come, while it lives, if that is a terminal and it
// takes long enough to ask: bytes, connections a second, time left. Leaves the line empty.
class Progress {
 public:
  explicit Progress(const ReadReport& report);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

 private:
  void run();
  void draw(double seconds) const;

  const ReadReport& report_;
  std::chrono::steady_clock::time_point started_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool done_ = false;
  std::thread thread_;  // last: it uses the rest
};

}  // namespace beaconry
