#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "http/server.h"
#include "sensor/services/relay_shares.h"
#include "spool/spool.h"

namespace beaconry {

// The uplink socket of the instances that asked for one: takes what they would send to a server,
// whose envelope must be one of a collector's, its content unopened, and answers as a server would
// once it is on disk. None has more than its share of the spool waiting. A thread or two an
// instance; open(), close() and the rest are the daemon's thread's.
class Relay {
 public:
  struct Counters {
    std::uint64_t taken = 0, bytes = 0, refused = 0;
    std::uint64_t past_share = 0;  // of the refused
    std::uint64_t waiting = 0;     // bytes in the spool
    std::uint64_t share = 0;       // as many may wait
  };
  // The spool outlives it. `shared_bytes`: of the spool, 0 where it keeps the newest of what nobody
  // fetches. `stored` is called on the instances' threads.
  Relay(Spool& spool, std::uint64_t shared_bytes, std::function<Timestamp()> clock,
        std::function<void()> stored);
  ~Relay();

  // Listens at FOLDER/uplink.sock (mode 0666); what is so already stays.
  Result<void> open(const std::string& instance, const std::string& folder);
  void close(const std::string& instance);
  Counters counters(const std::string& instance) const;
  // Those that were refused for their share since this was called last.
  std::vector<std::string> take_past_share();

 private:
  class Desk;
  struct Place {
    std::unique_ptr<Desk> desk;
    std::unique_ptr<HttpServer> server;
    std::uint64_t past_share_seen = 0;
  };
  Spool& spool_;
  std::unique_ptr<RelayShares> shares_;
  std::function<Timestamp()> clock_;
  std::function<void()> stored_;
  std::map<std::string, Place> places_;
};

}  // namespace beaconry
