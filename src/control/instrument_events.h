#pragma once
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "control/event_retention.h"
#include "control/events.h"
#include "control/instrument_rules.h"
#include "control/known_events.h"
#include "control/leaks.h"
#include "control/triage.h"
#include "store/database.h"
#include "uplink/instrument_event_batch.h"

namespace beaconry {

// What sensors tell of their instruments, as it is kept: each uuid of a sensor once, however often
// and in whichever batch it comes, bounded by number and age. A batch is kept as a whole: its
// events, its number and the alerts that its rules make of them, whose ids are the same whenever
// they are made. Batches that come while one is written share the next transaction; nothing is told
// of a batch before it is on disk. Any thread may call anything.
class InstrumentEvents {
 public:
  struct Settings {
    std::uint64_t most = 1'000'000;
    Duration retention = std::chrono::hours{24 * 90};
    EventRetention retention_of;  // of types that are kept for longer or shorter
    InstrumentRules rules;
  };
  struct Parts {
    Database& database;
    Triage& triage;
    Leaks& leaks;  // sends alerts
    EventHub& events;
  };
  struct Batch {
    std::string edge, sensor;  // fingerprint and name
    std::string incarnation;
    std::uint64_t sequence = 0;
    std::vector<InstrumentEvent> events;
    bool replayed = false;  // out of the journal: its alerts go with the next tick
  };
  struct Kept {
    std::uint64_t number = 0;  // in the order of arrival
    std::string edge, sensor;
    Timestamp accepted{};
    InstrumentEvent event;
    std::string alert;  // id; empty: none came of it

    std::string source() const;  // beacon_0@sensor001; of the sensor itself: sensor001
  };
  struct Totals {
    std::uint64_t stored = 0, repeated = 0, alerts = 0;
    std::uint64_t muted = 0;    // alerts that a person's decision kept back
    std::uint64_t limited = 0;  // alerts beyond kMostAlertsAnHour
  };
  // Of one type and instance: a flood is one thing to see, not thousands.
  static constexpr std::uint64_t kMostAlertsAnHour = 100;

  static Result<std::unique_ptr<InstrumentEvents>> open(const Parts& parts);
  void set_settings(const Settings& settings);

  // Once it returns, the batch is kept and its alerts are queued. False: it was kept before. An
  // error: nothing of it was, and it may come again.
  Result<bool> take(const Batch& batch, Timestamp now);

  struct Query {
    std::string type;                       // with *; empty: any
    std::string instance, sensor;           // beacon_0; name or fingerprint
    std::string context;                    // uuid that it belongs to, or its own
    std::optional<Timestamp> since, until;  // by the server's clock; until: before it
    std::string words;                      // each, whatever its case, in type, message or data
    std::size_t limit = 100;
    std::uint64_t before = 0;  // number: older ones only; 0: from the newest
  };
  struct Page {
    std::vector<Kept> events;  // newest first
    std::uint64_t next = 0;    // `before` of the next page; 0: there is none
  };
  Result<Page> page(const Query& query) const;
  Result<bool> knows_source(const std::string& source) const;  // beacon_0@sensor001
  Result<Totals> totals() const;                               // ever
  Result<std::uint64_t> count() const;                         // kept now

  // Forgets the oldest beyond the settings' bounds.
  Result<std::uint64_t> prune(Timestamp now);

 private:
  struct Pending;  // a batch on its way into the tables
  explicit InstrumentEvents(const Parts& parts)
      : parts_(parts), known_(std::make_unique<KnownEvents>()) {}
  Result<void> load();
  Result<void> write(const std::deque<Pending*>& group);

  const Parts parts_;
  mutable std::mutex mutex_;
  Settings settings_;
  // Who comes while nobody writes, writes for all that wait.
  std::mutex writing_mutex_;
  std::condition_variable written_;
  std::deque<Pending*> waiting_;
  bool is_writing_ = false;
  std::mutex known_mutex_;  // held from before a transaction that changes them until after it
  std::unique_ptr<KnownEvents> known_;
};

}  // namespace beaconry
