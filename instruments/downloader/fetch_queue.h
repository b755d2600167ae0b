#pragma once
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "bus/messages.h"
#include "downloader/fetch.h"

namespace beaconry {

// Orders on their way: two at a time, the others wait. Files lie in one folder within a bound; they
// go when they are ten minutes old, and earlier where an order needs the room and they are two
// minutes old, by which time the platform has taken them. All calls are of one thread.
class FetchQueue {
 public:
  struct Options {
    std::string folder;  // of ours alone: emptied at the start
    std::uint64_t most_bytes = 0;
    unsigned parallel = 2;
    std::size_t most_waiting = 64;
  };
  explicit FetchQueue(Options options) : options_(std::move(options)) {}
  ~FetchQueue() { stop(); }
  FetchQueue(const FetchQueue&) = delete;
  FetchQueue& operator=(const FetchQueue&) = delete;

  Result<void> open();
  // From now on with these settings (`folder` is ours). What runs begins anew.
  void start(const FetchSettings& settings, const std::function<void()>& while_stopped);
  void stop();  // what ran waits for the next start()

  void add(const FetchOrder& order);  // one that is here already is not added again
  struct Done {
    FetchOrder order;
    FetchResult result;
  };
  std::vector<Done> take_done();
  void tidy(std::chrono::steady_clock::time_point now);

 private:
  using Clock = std::chrono::steady_clock;
  struct Kept {
    Clock::time_point since{};
    std::uint64_t bytes = 0;
    std::vector<std::string> paths;
  };
  void run_worker();
  bool make_room(std::uint64_t bytes, Clock::time_point now, std::string& why);  // locked
  static void remove(const Kept& kept);

  const Options options_;
  FetchSettings settings_;
  std::mutex mutex_;
  std::condition_variable more_;
  std::deque<FetchOrder> waiting_;
  std::map<std::string, std::uint64_t> running_;  // uuid -> bytes that it may need
  std::vector<Done> done_;
  std::map<std::string, Kept> kept_;
  std::atomic<bool> stopping_{false};
  std::vector<std::thread> workers_;
};

}  // namespace beaconry
