#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "http/client.h"
#include "spool/spool.h"

namespace beaconry {

// Takes batches out of an edge's spool to the server, in order, one at a time, each until it was
// acknowledged. A thread of its own. The server away: tries again with growing pauses (1 s to 60 s,
// with jitter) while the spool fills. A batch that the server refuses as malformed is set aside,
// counted and logged, so that it does not block those behind it.
class Sender {
 public:
  struct Options {
    HttpClient::Options server;
    std::string edge;  // SHA-256 of the edge's public key
    std::string edge_name;
    std::string path = "/api/v1/telemetry";
  };
  struct Status {
    bool connected = false;  // the last try succeeded
    std::string last_error;
    Timestamp last_success{};
    std::uint64_t sent = 0, refused = 0, retries = 0;
    Duration clock_skew{0};  // server's clock minus ours, at the last answer
  };

  // The spool outlives the sender.
  static Result<std::unique_ptr<Sender>> start(const Options& options, Spool& spool,
                                               std::function<Timestamp()> clock);
  virtual ~Sender() = default;  // stops within a second; what waits stays in the spool
  virtual void wake() = 0;      // something was appended
  virtual Status status() const = 0;
};

}  // namespace beaconry
