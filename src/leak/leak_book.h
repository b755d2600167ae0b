#pragma once
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "leak/leak.h"

namespace beaconry {

// What the book must know of a probe to judge silence.
struct ProbeSchedule {
  ProbeId probe;
  std::string name;
  std::string home;  // that would hear it
  std::chrono::seconds short_period{1800};
  std::chrono::seconds long_period{14 * 86'400};
  std::optional<std::chrono::seconds> control_every;  // a positive control is due so often
  Timestamp added{};
  std::optional<Timestamp> retired;
  std::vector<IpAddress> known_outer;  // outer networks it was seen from before, /24 and /48
};

// Observations in, changes out: pure, no clock, no I/O. Its state is rebuilt from what the server
// kept: set_probes(), restore(), then remember() of the newest observations. One caller at a time.
// Memory is bounded: kMostProbes probes, kMostLeaksOfAProbe leaks of each, and the last 262,144
// tries.
//
// A leak closes when two periods of the cycle it was seen in have passed without it while its probe
// was there: not retired, and its positive control, where it has one, seen after them. It opens
// again with the next fresh ping. Late pings count for a leak, but open none that was known;
// replayed ones change a number alone.
// Observations of a probe that set_probes() never named are as those of an unknown key.
class LeakBook {
 public:
  static constexpr std::size_t kMostProbes = 4096, kMostLeaksOfAProbe = 1024;
  static constexpr std::chrono::minutes kDuplicate{10};  // later, and it is late or replayed
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
    std::vector<std::string> dropped;  // closed leaks that are not kept any more, by id
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
  // A home was there at this time. Once this was called for a home, gaps of over a minute between
  // its calls count for no closing of a leak of its probes: nobody would have heard it.
  struct Hearing {
    Timestamp listened{};                               // the last time
    std::vector<std::pair<Timestamp, Timestamp>> gaps;  // in which it did not, the newest 64
  };
  using Hearings = std::map<std::string, Hearing>;  // by ProbeSchedule::home
  void home_listened(const std::string& home, Timestamp at);
  const Hearings& hearings() const;
  void restore_hearings(Hearings hearings);

  std::vector<Leak> leaks() const;
  std::optional<Leak> find(const std::string& id) const;
  std::optional<Timestamp> last_control(ProbeId probe) const;
  std::optional<Timestamp> last_heard(ProbeId probe) const;
  // The outer networks that it was seen from, /24 and /48: ProbeSchedule::known_outer next time.
  std::vector<IpAddress> known_outer(ProbeId probe) const;
  // Leaks that were not kept because a probe had kMostLeaksOfAProbe open ones.
  std::uint64_t leaks_refused() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace beaconry
