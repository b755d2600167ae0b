#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "alert/alert.h"
#include "alert/sink.h"
#include "base/result.h"
#include "spool/spool.h"

namespace beaconry {

// Alerts on their way to the sinks: on disk before push() returns, delivered at least once by each
// sink in order, each with its own retry and backoff (1 s to 5 min), so that a dead one delays no
// other. Any thread may call.
class AlertQueue {
 public:
  struct Options {
    std::string folder;  // spool and each sink's position
    std::size_t queue_size =
        1000;  // `alerting.queue_size`: 100 % of fill_percent(); more wait on disk
    std::uint64_t most_bytes = std::uint64_t{1} << 30;
  };
  struct SinkStatus {
    std::string name;
    std::uint64_t waiting = 0, sent = 0, failed_tries = 0, undeliverable = 0;
    std::string last_error;
    Timestamp last_success{};
  };

  static Result<std::unique_ptr<AlertQueue>> open(const Options& options,
                                                  std::function<Timestamp()> clock);
  virtual ~AlertQueue() = default;

  virtual Result<void> push(const Alert& alert) = 0;
  // Takes the sinks' place. A sink that was not there before begins with the next alert.
  virtual void set_sinks(NamedSinks sinks) = 0;
  // What the slowest sink has not taken yet, of queue_size; may pass 100.
  virtual double fill_percent() const = 0;
  virtual std::uint64_t drops() const = 0;  // refused: disk full or most_bytes reached
  virtual std::vector<SinkStatus> sinks() const = 0;
};

}  // namespace beaconry
