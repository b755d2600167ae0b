#pragma once
#include <chrono>
#include <functional>
#include <memory>

namespace beaconry {

// The event loop of one thread, on Boost.Asio, which no other header of this folder shows: its
// templates cost more to compile than all the rest.
class EventLoop {
 public:
  EventLoop();
  ~EventLoop();  // the jobs that were posted and not run are destroyed

  void run();                            // until stop()
  void stop();                           // any thread
  void post(std::function<void()> job);  // any thread; runs on the loop
  // On the loop, again and again. Before run().
  void every(std::chrono::milliseconds period, std::function<void()> job);

 private:
  friend class Watch;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Tells when a descriptor that another owns can be read or written. Belongs to the loop's thread,
// and ends before the descriptor and the loop do.
class Watch {
 public:
  Watch(EventLoop& loop, int fd, std::function<void()> ready);
  ~Watch();  // `ready` is not called any more; allowed within `ready` itself
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  // Each asks for one call. Asking again while one is awaited changes nothing.
  void wait_readable();
  void wait_writable();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace beaconry
