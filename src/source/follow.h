#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "flow/flow_event.h"
#include "flow/networks.h"
#include "source/read_report.h"

namespace beaconry {

enum class FollowKind : std::uint8_t { zeek, suricata };

struct FollowOptions {
  FollowKind kind = FollowKind::zeek;
  // Zeek: the folder of the logs that are written now, or one log; Suricata: eve.json. What is not
  // there yet is waited for.
  std::string path;
  Networks networks;                              // as ReadOptions
  Duration burst_gap = std::chrono::seconds{1};   // as ReadOptions
  Duration name_wait = std::chrono::seconds{5};   // a flow's row is used this long after it came
  Duration linger = std::chrono::seconds{10};     // a rotated file's writer may still hold it
  bool from_end = false;                          // first start: only what is written from now on
  std::uint64_t memory_limit = 128ULL << 20;      // for names whose flows go on
  std::uint64_t most_bytes_a_poll = 32ULL << 20;  // so that one poll does not take for ever
};

// "zeek:/nsm/zeek/logs/current", "suricata:/var/log/suricata/eve.json", as --source gives it.
Result<FollowOptions> parse_follow_source(std::string_view text);

struct FollowCounters {
  std::uint64_t flows = 0;            // connections reported
  std::uint64_t bytes = 0;            // read, as stored
  std::uint64_t bad_lines = 0;        // see report()
  std::uint64_t rotations = 0;        // files that others took the place of
  std::uint64_t truncations = 0;      // files that were emptied in place
  std::uint64_t files_lost = 0;       // their unread rest was not found again
  std::uint64_t names_forgotten = 0;  // for lack of memory, before their flow was over
  std::size_t files_open = 0;
};

// Follows logs that grow, through rotation (by rename, by copying and truncating, by Zeek's move
// into dated folders, compressed there) and restarts. Gives the flow events that read_inputs()
// gives of the same logs; open_conn and conn_long rows become `alive` events that begin no
// check-in. Reads only; needs no privilege. One thread.
//
// Memory: FollowOptions::memory_limit, and about 2 MiB a file that is being read.
//
// Nothing is read twice or missed over a restart if the caller keeps checkpoint() with the events
// of the polls before it: CheckpointFile does so.
class LogFollower {
 public:
  // `checkpoint` is what checkpoint() gave before; one of another source or a damaged one is
  // refused: ErrorKind::malformed. Missing files are no error.
  static Result<std::unique_ptr<LogFollower>> open(const FollowOptions& options,
                                                   std::optional<std::string_view> checkpoint);
  virtual ~LogFollower() = default;
  LogFollower() = default;
  LogFollower(const LogFollower&) = delete;
  LogFollower& operator=(const LogFollower&) = delete;

  // Hands all that is new to `sink`. To be called about once a second; true if most_bytes_a_poll
  // ended it, so that there is more at once.
  virtual bool poll(FlowSink& sink, Timestamp now) = 0;

  // Where the last poll() ended, as text for open(): the events of all polls so far are before it.
  // It holds the names of flows that go on, so it may be some megabytes long.
  virtual std::string checkpoint() const = 0;

  virtual FollowCounters counters() const = 0;
  // Bad lines and files that cannot be used, counted by reason with the first place of each.
  virtual const ReadReport& report() const = 0;
};

}  // namespace beaconry
