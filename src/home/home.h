#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "home/receiver.h"
#include "spool/spool.h"
#include "uplink/observation_batch.h"

namespace beaconry {

// Home: receivers, the keys that open what they find, and the spool that keeps it. Observations are
// on disk before anything is answered; else in the spool in batches: at most kGather later, at once
// where a (probe, method, source network) was not seen for an hour. One thread.
class Home : public Desk {
 public:
  static constexpr std::chrono::milliseconds kGather{200};
  struct Options {
    HomeSettings settings;
    std::function<Timestamp()> clock;
    std::size_t answers_a_second = 100;  // of one probe
    std::size_t most_unknown_a_minute =
        600;  // observations of unknown keys that are kept; all count
  };
  // The spool outlives home.
  static Result<std::unique_ptr<Home>> open(Options options, PartyKeys keys, Spool& spool);

  // Takes the ring's place.
  virtual Result<void> set_probes(std::vector<KnownProbe> probes) = 0;
  // The positive control where no path is open: a ping of this probe's, sealed and sent to a socket
  // of home's own over loopback; from there on it goes the way of any other. No receiver takes
  // part, so that it is withheld, with an error, while one that is wanted is not there.
  virtual Result<void> inject_control(ProbeId probe) = 0;
  virtual std::vector<int> descriptors() const = 0;
  virtual void work() = 0;  // once: receivers, then the batch if it is due
  virtual Result<void> flush() = 0;
  // True once since the last call: something was put into the spool.
  virtual bool take_appended() = 0;
  virtual std::vector<EdgeCounter> counters() const = 0;
  virtual std::string status_json() const = 0;
};

}  // namespace beaconry
