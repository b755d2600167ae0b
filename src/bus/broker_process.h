#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/fd.h"
#include "base/privileges.h"
#include "base/result.h"

namespace beaconry {

// Mosquitto as a child process. Its folders are its working folder (configuration and accounts) and
// the one for its socket; it reaches both by descriptor, so that no folder above them has to let
// its user in. It becomes `account` if we are root.
//
// It does not die with us: while a killed daemon is away, instruments go on talking to each other.
// The next daemon ends it, found by its program and working folder, and starts its own.
class BrokerProcess {
 public:
  struct Options {
    std::string program, plugin;
    std::string state_folder;  // absolute
    std::string socket_folder;
    Account account;
    std::uint64_t most_memory;  // of addresses
  };
  static constexpr const char* kSocketName = "bus.sock";

  // Writes the configuration and the given accounts, ends what an earlier daemon left, starts.
  static Result<std::unique_ptr<BrokerProcess>> start(const Options& options,
                                                      const std::string& accounts);
  ~BrokerProcess();  // ends it: SIGTERM, after a second SIGKILL
  BrokerProcess(const BrokerProcess&) = delete;
  BrokerProcess& operator=(const BrokerProcess&) = delete;

  int pid() const { return pid_; }
  // Empty while it runs, then how it ended with its last words.
  std::string ended();
  void kill();

 private:
  BrokerProcess(int pid, Fd log) : pid_(pid), log_(std::move(log)) {}
  void read_log();
  std::string last_words() const;

  int pid_ = 0;
  bool reaped_ = false;
  std::string how_;
  Fd log_;
  std::string log_tail_;
};

}  // namespace beaconry
