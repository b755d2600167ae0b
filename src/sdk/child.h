#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fd.h"
#include "base/result.h"

namespace beaconry::sdk {

// A program that an instrument runs: its lines are read, its end is seen, it is started again. One
// thread; nothing blocks but stop(). Call work() from the tick, or when descriptor() is readable.
class Child {
 public:
  using Clock = std::chrono::steady_clock;
  struct Options {
    std::vector<std::string> command;  // the program, in PATH or with its path, and its arguments
    std::vector<std::string> environment;  // NAME=value, besides ours
    // Its whole standard input: the way for secrets, which are then in no file, no list of
    // processes and no environment.
    std::string input;
    bool restart = true;                                                 // when it ended by itself
    std::chrono::milliseconds first_delay{1000}, longest_delay{60'000};  // twice as long each time
    std::chrono::milliseconds good_after{60'000};  // that it ran: the next delay is the first again
    std::chrono::milliseconds patience{3000};      // of stop(), from SIGTERM to SIGKILL
    std::size_t longest_line = 64 << 10;           // the rest of a longer one is cut off
  };
  // Standard output and errors of the child alike, without the end of line.
  using OnLine = std::function<void(std::string_view line)>;

  explicit Child(Options options, OnLine on_line = {});
  ~Child();  // stops it
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // An error: it cannot be started; with `restart` it is tried again all the same.
  Result<void> start(Clock::time_point now = Clock::now());
  // The whole process group; waits for its end.
  void stop();
  Result<void> restart(std::vector<std::string> command, Clock::time_point now = Clock::now());
  // Reads lines, sees its end, starts it again when that is due.
  void work(Clock::time_point now = Clock::now());
  void signal(int number);

  int descriptor() const { return output_.get(); }  // -1: there is none now
  bool is_running() const { return pid_ > 0; }
  int pid() const { return pid_; }
  std::uint64_t restarts() const { return restarts_; }
  const std::string& last_end() const { return last_end_; }  // "status 1", "signal 9"; empty: none
  // What it said last, for a health report.
  const std::deque<std::string>& last_lines() const { return last_lines_; }
  std::uint64_t cut_lines() const { return cut_lines_; }

 private:
  void read();
  void take(std::string_view bytes);
  void finish_line();
  bool reap(bool wait);
  void plan_restart(Clock::time_point now);

  Options options_;
  OnLine on_line_;
  int pid_ = 0;
  Fd output_;
  std::string line_;
  bool cutting_ = false;
  std::deque<std::string> last_lines_;
  std::string last_end_;
  std::uint64_t restarts_ = 0, cut_lines_ = 0;
  bool wanted_ = false;
  Clock::time_point started_{}, due_{};
  std::chrono::milliseconds delay_{0};
};

}  // namespace beaconry::sdk
