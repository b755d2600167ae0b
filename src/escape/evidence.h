#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "escape/method.h"
#include "ping/keys.h"

namespace beaconry {

// What a probe tried, when, and what not and why: text lines, each chained to the one before by
// BLAKE2b, the chain's head signed by the probe's key at the end of each cycle, each hour and each
// start. docs/formats/evidence.md. Tries are gathered into runs, which are written a minute after
// their first try at the latest. Survives restarts; bounded: past `most_bytes` the oldest whole
// cycles are replaced by a signed summary that keeps the chain. One thread.
class ProbeEvidence {
 public:
  struct Options {
    std::string path;  // empty: in memory only
    std::uint64_t most_bytes = 32 << 20;
    std::string probe_name;
  };
  // A file that another key signed, or whose chain is broken, is refused: the remedy is in the
  // words. A torn last line (power loss) is cut off, and that is recorded.
  static Result<std::unique_ptr<ProbeEvidence>> open(const Options& options, const PartyKeys& keys,
                                                     Timestamp now);
  virtual ~ProbeEvidence() = default;

  virtual Result<void> tried(const Try& made, Timestamp now) = 0;
  virtual Result<void> answered(const Try& made, Timestamp now) = 0;  // home was reached, two-way
  // Not tried: by profile, budget, missing resolver, …
  virtual Result<void> skipped(MethodId method, CycleKind kind, std::uint32_t cycle,
                               std::string_view why, Timestamp now) = 0;
  virtual Result<void> heard(std::string_view peer, const Ping& ping, Timestamp now) = 0;
  virtual Result<void> began(CycleKind kind, std::uint32_t cycle, Timestamp now) = 0;
  virtual Result<void> completed(CycleKind kind, std::uint32_t cycle, Timestamp now) = 0;
  virtual Result<void> seal(Timestamp now) = 0;  // sign the head, and sync
  // The probe stops as it was told to: a record that ends otherwise was cut off, or its probe was
  // killed. Seals.
  virtual Result<void> end(Timestamp now) { return seal(now); }

  // What the plan needs after a restart: a sequence below which every one may have been used (of a
  // new or missing file: the time in microseconds, so that a lost file repeats none), the cycles
  // begun, and the place in a long cycle that is not complete.
  virtual std::uint64_t last_sequence() const = 0;
  virtual std::uint32_t last_cycle(CycleKind kind) const = 0;
  // The latest time that it is known to have been: of the signed part. The end date is not undone
  // by a clock that is behind it.
  virtual Timestamp last_time() const { return {}; }
  virtual MethodId long_method() const { return MethodId::none; }
  virtual std::uint64_t long_done() const { return 0; }
};

// Reading it back, on another machine. verify: every link, every signature, by whose key.
struct EvidenceReport {
  struct Row {
    std::string method;
    std::uint64_t tried = 0, answered = 0;
    std::string why_not;  // of the last cycle in which it was not tried
    Timestamp last_tried{}, last_skipped{};

    friend bool operator==(const Row&, const Row&) = default;
  };
  std::string probe_name, probe_id;
  Key32 sign_public{};
  std::uint64_t lines = 0, signatures = 0;
  Timestamp first{}, last{}, last_signed{};
  std::uint64_t unsigned_lines = 0;   // after the last signature
  std::uint64_t unvouched_lines = 0;  // unsigned when the probe began again: left out of the rest
  std::uint64_t lost_tries = 0;       // made, but could not be written
  std::uint64_t torn_bytes = 0;       // of a last line that has no end
  bool clean_end = false;             // the last signature is the one of a probe that was stopped
  std::uint64_t summarised_lines = 0;
  std::uint64_t last_sequence = 0;  // tried
  struct Cycle {
    std::uint32_t number = 0;
    Timestamp begun{}, completed{};

    friend bool operator==(const Cycle&, const Cycle&) = default;
  };
  Cycle last_short, last_long;  // complete
  std::vector<Row> rows;
  struct Heard {
    std::string from;
    std::uint64_t pings = 0;
    Timestamp first{}, last{};

    friend bool operator==(const Heard&, const Heard&) = default;
  };
  std::vector<Heard> heard;  // the row of the zone matrix
};
// An end that is cut off is in the report; whatever else is wrong is an error that names the line.
// `expected`: whose it must be; none: whichever key it names, which is in the report.
Result<EvidenceReport> verify_evidence(const std::string& path, const Key32* expected);

}  // namespace beaconry
