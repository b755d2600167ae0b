#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/rate_bucket.h"
#include "base/result.h"
#include "bus/messages.h"
#include "image/manifest.h"
#include "sensor/services/recent_events.h"
#include "sensor/services/seen_events.h"
#include "spool/spool.h"

namespace beaconry {

// Takes events in: those of a type that the manifest names, at the rate that it has, each once.
// More than that waits in a bounded queue, and what does not fit is refused and counted: a sender
// that waits for answers loses nothing, one that floods is named. One commit a round appends and
// syncs all that came in it; only then are they acknowledged. Times as in ConfigDelivery.
class EventIntake {
 public:
  // The spool outlives it.
  EventIntake(Spool& spool, std::string recent_file);
  void open();  // what came before, from the spool and the file of recent ones

  void set_source(const std::string& instance, const Manifest& manifest);
  void remove_source(const std::string& instance);

  void offer(const std::string& instance, Event event, Timestamp steady);
  void malformed(const std::string& instance);
  // One of our own about an instance or, empty, the sensor.
  void tell(const std::string& instance, const std::string& word, const std::string& message,
            const std::string& data_json, Timestamp now);

  struct Refusal {
    std::string instance, reason;
    std::vector<std::string> uuids;
  };
  struct Outcome {
    std::map<std::string, std::vector<std::string>> acknowledged;  // instance: uuids
    std::vector<Refusal> refused;
    bool appended = false;                    // a batch: the uplink has something to do
    std::vector<Services::KeptEvent> stored;  // on disk now; our own have the type sensor.ev...
  };
  // Once a minute there is a batch without events too: the server sees that we live.
  Outcome commit(Timestamp steady, Timestamp now);

  InstanceReport::Events counters(const std::string& instance) const;
  Health health(const std::string& instance) const;    // "events": healthy, or that it floods
  const std::string& fault() const { return fault_; }  // why nothing is stored; empty: all is
  const RecentEvents& recent() const { return recent_; }
  Result<void> write_recent() { return recent_.write(); }

 private:
  struct Source {
    std::string instrument;
    std::vector<std::string> types;
    unsigned rate = 0;
    RateBucket bucket{1, 1};
    std::deque<Event> waiting;
    std::size_t bytes = 0;
    std::unordered_set<std::string> pending;  // uuids of those that wait, here or in taken_
    InstanceReport::Events counters;
    std::uint64_t refused_told = 0;      // of counters.refused, how many were named
    std::optional<Timestamp> flood_end;  // steady: it counts as flooding until then
    std::optional<Timestamp> next_word;  // steady: no sooner named again
    std::map<std::string, std::vector<std::string>> refusals;  // reason: uuids
    std::vector<std::string> known;                            // to be acknowledged once more
  };
  struct Taken {
    std::string instance;
    Event event;
    bool own = false;
  };
  void refuse(Source& source, const Event& event, const std::string& reason);
  std::string why_not(const Source& source, const Event& event) const;
  void name_floods(Timestamp steady, Timestamp now);
  bool store(Timestamp now);  // all of taken_

  Spool& spool_;
  RecentEvents recent_;
  SeenEvents seen_;
  std::map<std::string, Source> sources_;
  std::deque<Taken> taken_;  // not yet on disk
  std::deque<Taken> own_;
  std::uint64_t own_dropped_ = 0;
  std::optional<Timestamp> retry_;       // steady
  std::optional<Timestamp> next_batch_;  // steady: one is due even without events
  std::string fault_;
};

}  // namespace beaconry
