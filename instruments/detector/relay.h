#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "flow/flow_event.h"
#include "http/client.h"
#include "http/server.h"
#include "uplink/flow_batch.h"

namespace beaconry {

// What came back from taking the canary out of a batch.
struct Filtered {
  std::string envelope;           // without the canary; else as it came
  std::vector<FlowEvent> canary;  // without names and ids
  std::uint64_t events = 0;       // all that were in it
  std::vector<EdgeCounter> counters;
};
// The batch keeps its identity (edge, incarnation, sequence), so that it counts once whatever
// becomes of it. An error: it is no batch of flows.
Result<Filtered> without_canary(std::string_view envelope);

// Stands between the collector and the uplink socket: looks into each batch, takes the canary out,
// which nobody is to be alerted of, and passes the rest on. The collector's spool is what keeps a
// batch until the uplink has it: nothing is answered before.
class Relay : public HttpHandler {
 public:
  struct Status {
    std::uint64_t batches = 0, events = 0, malformed = 0, failed = 0;
    Timestamp last{};                        // batch that the uplink took
    std::string error;                       // of the last try; empty: it was taken
    std::uint64_t packets = 0, dropped = 0;  // the collector's running totals
  };

  // `listen` is a Unix socket's path that the collector, no longer root, may connect to.
  static Result<std::unique_ptr<Relay>> start(const std::string& listen, const std::string& uplink,
                                              std::function<Timestamp()> clock);
  ~Relay() override;

  Status status() const;
  std::vector<FlowEvent> take_canary();  // what came since

  Admission admit(const HttpRequest& head) override;
  HttpResponse handle(HttpRequest request) override;

 private:
  explicit Relay(std::function<Timestamp()> clock) : clock_(std::move(clock)) {}
  Result<HttpResponse> pass_on(const HttpRequest& request);

  std::function<Timestamp()> clock_;
  std::unique_ptr<HttpClient> uplink_;  // of the one worker
  mutable std::mutex mutex_;            // guards what follows
  Status status_;
  std::vector<FlowEvent> canary_;
  std::unique_ptr<HttpServer> server_;  // ends first
};

}  // namespace beaconry
