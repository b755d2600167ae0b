#pragma once
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "alert/alert.h"
#include "base/result.h"
#include "base/time.h"
#include "hunt/beacon_watch.h"
#include "hunt/live_hunt.h"

namespace beaconry {

class Control;

// Scores every pair each analysis_interval and when asked to, and tells of what changed: to the
// store, to the alert queue, to whoever listens. A thread of its own; one analysis at a time.
class Analysis {
 public:
  struct Run {
    std::string run_id;
    Timestamp start{}, end{};
    double seconds = 0;
    std::uint64_t pairs_analyzed = 0;
    std::uint64_t pairs_suppressed = 0;  // beacons by score that a list, a gate or triage hides
    std::uint64_t pairs_skipped = 0;     // with too few check-ins
    std::uint64_t beacons_detected = 0, alerts_generated = 0;
    std::uint64_t beacons_ours = 0;   // probes on their way home: listed, and no alert
    std::uint64_t beacons_new = 0;    // of those detected: not there in the run before
    std::vector<std::string> errors;  // of store and alert queue: tried again the next time
  };
  struct Totals {
    // beacons: each counts once as long as it is found again and again.
    std::uint64_t runs = 0, beacons = 0, alerts = 0, suppressed = 0, pairs_analyzed = 0, errors = 0;
    double last_seconds = 0;
    Run last;
  };

  explicit Analysis(Control& control);
  ~Analysis();

  void start();
  void stop();
  // Those that wait for an analysis, theirs or another's, hold a thread of the server's: no more
  // than so many do at once, so that telemetry always finds one.
  static constexpr unsigned kMostCallers = 4;
  // What callers past it are told; worth another try in some seconds.
  static constexpr std::string_view kBusy = "others wait for an analysis already";

  // Now, after one that is running. Nothing if too many wait for one already, or at the end.
  std::optional<Run> run();
  // What a person decided of a beacon as it is now; waits for an analysis that is running. False
  // if it is not known. ErrorKind::limit: too many wait.
  Result<bool> decide(const std::string& identity, Triaged how, Timestamp until);
  // Deletes a beacon, or with an empty identity all of them, from the store and from what is
  // remembered: it will be found anew. How many there were. ErrorKind::limit: too many wait.
  Result<std::uint64_t> remove(const std::string& identity);
  Totals totals() const;

 private:
  class Caller;
  void loop();
  std::optional<Run> run_next();
  void clean_up();
  void load();
  Run analyze();
  // Alerts of what was decided. Identities whose alert could not be kept: these are taken back.
  std::vector<std::string> tell(const WatchResult& result, const BeaconStates& before, Run& run);
  Result<void> save(const LiveAnalysis& analysis, const WatchResult& result, Timestamp now);
  void withdraw_triage(const WatchResult& result, Run& run);
  bool stopping() const;

  Control& control_;
  std::mutex running_;  // held through an analysis, and of what stands next
  BeaconStates states_;
  std::set<std::string> listed_;  // identities that the store shows as beacons
  std::set<std::string> found_;   // beacons of the last run, since the start
  bool loaded_ = false;
  mutable std::mutex mutex_;  // of what stands below
  std::condition_variable woken_;
  bool stop_ = false;
  unsigned callers_ = 0;
  Totals totals_;
  Timestamp certificate_checked_{};  // by the thread
  std::thread thread_;
};

}  // namespace beaconry
