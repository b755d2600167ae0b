#pragma once
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "alert/alert_queue.h"
#include "base/result.h"
#include "base/time.h"
#include "control/alerts.h"
#include "control/events.h"
#include "control/observations.h"
#include "control/probes.h"
#include "control/triage.h"
#include "leak/leak_book.h"
#include "store/database.h"

namespace beaconry {

// Observations in, leaks and alerts out. A batch is one transaction: its observations, the leaks
// that came of it and the alerts that these are due, so that after a crash at any moment either all
// of it is there or nothing, and the journal brings it again. Alerts then go from the database to
// the sinks, each under an id that is the same whenever it is made.
//
// take() works in the caller's thread: the alert of a new leak is on its way when it returns. A
// thread of this one's own sees to what time alone changes. Any thread may call anything.
class Leaks {
 public:
  struct Parts {
    Database& database;
    Probes& probes;
    Triage& triage;
    Alerts& alerts;
    AlertQueue& queue;
    EventHub& events;
  };
  struct Settings {
    std::uint64_t most_observations = 1'000'000;
    Duration observation_retention = std::chrono::hours{24 * 90};
  };
  struct Batch {
    ObservationSource source;
    Duration clock_skew{0};  // the home's clock less the server's: taken off what it received
    std::vector<Observation> observations;
    bool replayed = false;  // of the journal: its alerts go with the next tick
  };
  static constexpr std::size_t kRemembered = 100'000;  // observations, after a restart
  static constexpr std::chrono::seconds kTick{2};

  static Result<std::unique_ptr<Leaks>> open(const Parts& parts, const Settings& settings,
                                             Timestamp now);
  ~Leaks();

  void set_settings(const Settings& settings);
  void start(std::function<Timestamp()> clock);
  void stop();

  // Once it returns, the batch is kept and its alerts are queued. False: it was kept before. An
  // error: nothing of it was, and it may come again.
  Result<bool> take(Batch batch, Timestamp now);
  // Leaks that closed, probes that fell silent, alerts that could not be queued, rows that are old.
  Result<void> tick(Timestamp now);

  // Another module's alert of what a home or a probe is: kept, and sent as those of leaks are.
  Result<void> tell(const Alert& alert);

  // The same within the caller's transaction: send() must follow, or the next tick sends it.
  static void hold(SQLite::Database& tables, const Alert& alert);
  Result<void> send();

  // A home, by its edge, was there: only what it would have heard counts as silence.
  void home_listened(const std::string& home, Timestamp at);

  std::vector<Leak> list() const;  // open ones first, of these the one seen last first
  std::optional<Leak> find(const std::string& id) const;
  std::optional<Timestamp> last_heard(ProbeId probe) const;
  std::optional<Timestamp> last_control(ProbeId probe) const;
  const Observations& observations() const { return *observations_; }
  Observations::Totals totals() const;
  std::uint64_t refused() const;  // leaks that were one too many for a probe
  // Observations that an edge brought of a probe that calls another home: judged as unknown keys.
  std::uint64_t foreign() const { return foreign_; }
  std::uint64_t alerts_made() const { return alerts_made_; }

 private:
  struct News;
  Leaks(const Parts& parts, const Settings& settings);
  Result<void> restore(Timestamp now);
  void follow_probes(Timestamp now);
  bool is_muted(const LeakBook::Change& change, Timestamp now);
  void judge(LeakBook::Outcome outcome, News& news, Timestamp now);
  Result<void> keep(const Batch* batch, const News& news, Timestamp now);
  void prune(Timestamp now);
  Result<void> keep_hearings(Timestamp now);
  void publish(const News& news);
  void loop(const std::function<Timestamp()>& clock);

  const Parts parts_;
  std::unique_ptr<Observations> observations_;
  std::mutex sending_;            // of what waits in the database; taken after mutex_ is let go
  std::set<std::string> pushed_;  // ids that the queue has and the database still calls waiting
  mutable std::mutex mutex_;      // of what stands below
  Settings settings_;
  std::unique_ptr<LeakBook> book_;
  std::uint64_t generation_ = 0;  // of the probes that the book knows; 0: of none yet
  Timestamp next_end_{};          // when one of them is retired by its own date
  Observations::Totals totals_{};
  Timestamp pruned_{}, hearings_kept_{};
  std::atomic<std::uint64_t> alerts_made_ = 0, foreign_ = 0;

  std::mutex stop_mutex_;
  std::condition_variable woken_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace beaconry
