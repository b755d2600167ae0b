#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "control/probes.h"
#include "escape/evidence.h"
#include "leak/leak.h"
#include "store/database.h"

namespace beaconry {

// What probes tried, as their signed records say: somebody carries the file from the probe to this
// server, as nothing else may come out of where a probe is. The newest record of each probe is
// kept, in short. Any thread may call.
class Coverage {
 public:
  struct Kept {
    EvidenceReport report;
    Timestamp received{};
    std::string who;
  };
  static constexpr std::size_t kMostRecord = std::size_t{64} << 20;  // bytes of a file

  static Result<std::unique_ptr<Coverage>> open(Database& database);

  // `file`: as the probe wrote it. It must be of one of these probes and signed by its key, and not
  // be older than what is kept.
  Result<Kept> take(std::string_view file, const Probes& probes, const std::string& who,
                    Timestamp now);
  std::optional<Kept> find(ProbeId probe) const;

 private:
  explicit Coverage(Database& database) : database_(database) {}
  Result<void> load();

  Database& database_;
  mutable std::mutex mutex_;
  std::map<std::string, Kept> kept_;  // by probe's id
};

// Zone to zone: what each listening probe heard of each other one.
struct ZoneMatrix {
  enum class State : std::uint8_t {
    reached,
    silent,
    unknown
  };  // unknown: no record of who listens
  struct Cell {
    State state = State::unknown;
    std::optional<bool> may_reach;  // as the probes' settings say; nothing: they are no peers
    std::uint64_t pings = 0;
    Timestamp first{}, last{};
  };
  struct Row {
    std::string listener;
    std::vector<Cell> cells;  // one a sender
  };
  std::vector<std::string> senders;  // by name
  std::vector<Row> rows;
};
// Of probes that are not retired, and of whoever was heard.
ZoneMatrix zone_matrix(const std::vector<KeptProbe>& probes, const Coverage& coverage,
                       Timestamp now);
std::string_view to_string(ZoneMatrix::State state);

}  // namespace beaconry
