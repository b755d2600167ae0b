#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "http/client.h"
#include "spool/spool.h"
#include "uplink/flow_batch.h"

namespace beaconry {

// Takes batches out of an edge's spool to the server, in order, one at a time, each until it was
// acknowledged. A thread of its own. The server away: tries again with growing pauses (1 s to 60 s,
// with jitter) while the spool fills. A batch that the server refuses as malformed is set aside,
// counted and logged, so that it does not block those behind it. A batch is synced before it goes
// out: its number, once the server knows it, never stands for another.
class Sender {
 public:
  struct Options {
    HttpClient::Options server;
    std::string edge;  // SHA-256 of the edge's public key
    std::string edge_name;
    ContentKind content_kind = ContentKind::flows;  // of all that is in the spool
    std::string path = "/api/v1/telemetry";
    std::string token;  // sent as a bearer token; empty: the key of server.certificate_pem counts
    // Where batches go that the server refuses; empty: nowhere. The oldest make room.
    std::string refused_folder;
    std::uint64_t most_refused_bytes = 16 << 20;
    std::chrono::milliseconds first_pause{1'000}, longest_pause{60'000};
  };
  struct Status {
    bool connected = false;  // the last try succeeded
    std::string last_error;
    Timestamp last_success{};
    std::uint64_t sent = 0;     // batches acknowledged
    std::uint64_t refused = 0;  // batches set aside
    std::uint64_t retries = 0;  // tries that failed
    Duration clock_skew{0};     // server's clock minus ours, at the last answer
  };

  // The spool outlives the sender.
  static Result<std::unique_ptr<Sender>> start(const Options& options, Spool& spool,
                                               std::function<Timestamp()> clock);
  // Stops within a second (a look-up of the server's name may take longer); what waits stays in the
  // spool.
  virtual ~Sender() = default;
  virtual void wake() = 0;  // something was appended
  virtual Status status() const = 0;
};

}  // namespace beaconry
