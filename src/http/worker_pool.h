#pragma once
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "http/message.h"

namespace beaconry {

// Threads that handle requests; a bounded number of requests waits for them.
class WorkerPool {
 public:
  struct Job {
    std::uint64_t connection = 0;
    HttpRequest request;
  };

  WorkerPool(unsigned threads, std::size_t most_queued, std::function<void(Job&&)> work);
  ~WorkerPool();  // stop()s

  bool post(Job&& job);  // false, and the job as it was: too many wait
  void stop();           // what waits is dropped; what runs is waited for

 private:
  void run();

  const std::size_t most_queued_;
  const std::function<void(Job&&)> work_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> jobs_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace beaconry
