#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "http/server.h"
#include "spool/spool.h"

namespace beaconry {

// The uplink socket of the instances that asked for one: takes what they would send to a server,
// unopened, and answers as a server would once it is on disk. A thread or two an instance; open(),
// close() and counters() are the daemon's thread's.
class Relay {
 public:
  struct Counters {
    std::uint64_t taken = 0, bytes = 0, refused = 0;
  };
  // The spool outlives it. `stored` is called on the instances' threads.
  Relay(Spool& spool, std::function<Timestamp()> clock, std::function<void()> stored);
  ~Relay();

  // Listens at FOLDER/uplink.sock (mode 0666); what is so already stays.
  Result<void> open(const std::string& instance, const std::string& folder);
  void close(const std::string& instance);
  Counters counters(const std::string& instance) const;

 private:
  class Desk;
  struct Place {
    std::unique_ptr<Desk> desk;
    std::unique_ptr<HttpServer> server;
  };
  Spool& spool_;
  std::function<Timestamp()> clock_;
  std::function<void()> stored_;
  std::map<std::string, Place> places_;
};

}  // namespace beaconry
