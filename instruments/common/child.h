#pragma once
#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "base/result.h"

namespace beaconry {

// A program that an instrument runs: started with a text on its standard input that nobody else can
// read, its output (both kinds) taken a line at a time. Owned by one thread; nothing blocks but
// end().
class Child {
 public:
  struct Options {
    std::vector<std::string> command;  // its first word is a path
    std::string input{};               // whole standard input; no file and no process list holds it
    std::size_t longest_line = 4096;   // the rest of a longer one is left out
  };
  static Result<std::unique_ptr<Child>> start(const Options& options);
  ~Child();  // end(), with a second's patience
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // Hands over the lines that it wrote since, at most some hundred KiB at once, and notices its
  // end.
  void work(const std::function<void(std::string_view)>& line);
  bool is_running() const { return pid_ > 0; }
  pid_t process() const { return pid_; }
  // "ended with status 1", "was killed by signal 9"; empty while it runs.
  const std::string& how_it_ended() const { return ending_; }

  void signal(int number) const;
  // SIGTERM, and SIGKILL once patience is over; returns when it is gone.
  void end(std::chrono::milliseconds patience);

 private:
  Child(pid_t pid, Fd output, std::size_t longest_line)
      : pid_(pid), output_(std::move(output)), longest_line_(longest_line) {}
  bool reap(bool wait);
  void take(std::string_view bytes, const std::function<void(std::string_view)>& line);

  pid_t pid_ = 0;
  Fd output_;
  std::size_t longest_line_;
  std::string line_, ending_;
};

// Pauses between starts of a program that ends: 1 s, doubled up to a minute, and again 1 s after
// one that ran for a minute.
class Backoff {
 public:
  using Clock = std::chrono::steady_clock;
  bool is_due(Clock::time_point now) const { return now >= next_; }
  void started(Clock::time_point now) { started_ = now; }
  void ended(Clock::time_point now);
  void reset();
  std::uint64_t ends() const { return ends_; }  // in a row, each within a minute

 private:
  Clock::time_point started_{}, next_{};
  std::uint64_t ends_ = 0;
};

}  // namespace beaconry
