#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/fd.h"
#include "base/result.h"

namespace beaconry {

// Work for one thread from all others: a descriptor that is readable while there is some.
class Mailbox {
 public:
  Result<void> open();
  int descriptor() const { return event_.get(); }
  void post(std::function<void()> letter);  // any thread
  void wake();                              // any thread, signal-safe
  void work();                              // the owner: opens all letters that are there now

 private:
  Fd event_;
  std::mutex mutex_;
  std::vector<std::function<void()>> letters_;
};

// Threads for what blocks. A job returns what is to be done with its result: that is posted. Of one
// that throws, `failed` is posted instead, with the words why, so that nobody waits for it for
// ever.
class Workers {
 public:
  using Job = std::function<std::function<void()>()>;
  Workers(unsigned threads, Mailbox& mailbox);
  ~Workers();  // jobs that run are waited for, others dropped
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;
  using Failed = std::function<void(const std::string& why)>;
  void submit(Job job, Failed failed);  // any thread

 private:
  void serve();

  Mailbox& mailbox_;
  std::mutex mutex_;
  std::condition_variable wake_;
  struct Order {
    Job job;
    Failed failed;
  };
  std::deque<Order> orders_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace beaconry
