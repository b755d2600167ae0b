#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "detect/allow_list.h"
#include "flow/flow_event.h"
#include "spool/spool.h"
#include "uplink/flow_batch.h"

namespace beaconry {

// Where flow events leave the collector: what the allow-list covers is left out and counted, the
// rest is gathered into batches that go to the spool. One thread.
class Exporter : public FlowSink {
 public:
  struct Counters {
    std::uint64_t events = 0;        // in batches that are in the spool, or gathered now
    std::uint64_t allow_listed = 0;  // left out
    std::uint64_t batches = 0;       // that are in the spool
    std::uint64_t events_lost = 0;   // came while the spool took nothing and memory was full
  };

  // The spool outlives the exporter. `running` gives the totals that go with every batch.
  Exporter(Spool& spool, AllowList allow, std::size_t most_events,
           std::function<std::vector<EdgeCounter>()> running);

  void add(const FlowEvent& event) override;
  void add_host_name(const IpAddress& host, std::string_view name, Timestamp time) override;
  void add_address_name(const IpAddress& address, std::string_view name, Timestamp time) override;

  // For batches that are cut early, between two calls of cut().
  void set_time(Timestamp now) { now_ = now; }
  void set_allow_list(AllowList allow) { allow_ = std::move(allow); }
  // For a source whose place in its input is only known between its calls.
  void never_cut_within_calls() { cuts_within_calls_ = false; }
  // Called before each try to append a batch, with the number that it will get; its error is
  // logged by whoever gave it.
  void set_before_append(std::function<void(std::uint64_t)> before) { before_ = std::move(before); }

  // Ends the batch: once this returns it is on disk. A batch without events goes too: it carries
  // the counters and says that this edge lives. A batch that the spool does not take is kept, and
  // the next call tries it again before all others; meanwhile one more batch is gathered, and what
  // comes when that is full, too, is lost.
  Result<void> cut(Timestamp now);
  // cut(), and an error goes to the log.
  void cut_and_log(Timestamp now);
  // A batch is kept for the next try: a source that can wait is not to go on.
  bool is_waiting() const { return kept_.has_value(); }
  bool is_full() const { return builder_.events() >= most_events_; }

  const Counters& counters() const { return counters_; }

 private:
  struct Batch {
    std::string content;
    std::size_t events = 0;
  };

  bool is_allowed(const FlowEvent& event) const;
  Result<void> append_kept(Timestamp now);

  Spool& spool_;
  AllowList allow_;
  std::size_t most_events_;
  bool cuts_within_calls_ = true;
  std::function<std::vector<EdgeCounter>()> running_;
  std::function<void(std::uint64_t)> before_;
  FlowBatchBuilder builder_;
  std::optional<Batch> kept_;  // not in the spool yet
  Timestamp now_{};
  Counters counters_;
};

}  // namespace beaconry
