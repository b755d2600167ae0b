#pragma once
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "leak/leak.h"

namespace beaconry {

// What the book must know of a probe to judge silence.
struct ProbeSchedule {
  ProbeId probe;
  std::string name;
  std::chrono::seconds short_period{1800};
  std::chrono::seconds long_period{14 * 86'400};
  std::optional<std::chrono::seconds> control_every;  // a positive control is due so often
  Timestamp added{};
  std::optional<Timestamp> retired;
  std::vector<IpAddress> known_outer;  // outer networks it was seen from before, /24 and /48
};

// Observations in, changes out: pure, no clock, no I/O. Its state is rebuilt from what the server
// kept: restore() before anything else. One caller at a time.
class LeakBook {
 public:
  struct Change {
    LeakChange kind{};
    Leak leak;
  };
  enum class ProbeNews : std::uint8_t {
    silent,  // its positive control is overdue: twice control_every
    heard_again,
    retired_call,  // a retired probe calls from an outer network that is new
  };
  struct ProbeChange {
    ProbeNews kind{};
    ProbeId probe;
    Timestamp since{};
    IpAddress outer_source;
    std::string words;
  };
  struct Outcome {
    ObservationClass what{};
    std::string leak_id;  // empty: none came of it
    std::vector<Change> changes;
    std::vector<ProbeChange> probes;
  };

  LeakBook();
  ~LeakBook();
  void set_probes(std::vector<ProbeSchedule> probes);
  void restore(std::vector<Leak> leaks);
  // To know duplicates and ghosts again after a restart: the newest observations, in order.
  void remember(const Observation& observation);

  Outcome add(const Observation& observation);
  // What time alone changes: leaks closed, probes silent. Call every few seconds.
  Outcome tick(Timestamp now);

  std::vector<Leak> leaks() const;
  std::optional<Leak> find(const std::string& id) const;
  std::optional<Timestamp> last_control(ProbeId probe) const;
  std::optional<Timestamp> last_heard(ProbeId probe) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace beaconry
