#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "flow/flow_event.h"
#include "hunt/open_flows.h"
#include "hunt/pair_scorer.h"
#include "hunt/scored_pair.h"

namespace beaconry {

// One connection pair as it is listed, scored or not.
struct PairSummary {
  PairKey key;
  std::string server_name;
  std::uint64_t connection_count = 0;
  std::uint64_t check_ins = 0;
  Timestamp first_seen{}, last_seen{};
};

struct LiveAnalysis {
  std::vector<ScoredPair> pairs;  // best first; only those of at least Settings::least_kept
  std::uint64_t analyzed = 0, skipped = 0;  // address pairs with enough check-ins, and without
  std::uint64_t left_out = 0;               // scored enough, but beyond Settings::most_kept
  double seconds = 0;
};

// The hunt that never ends: series that grow while they are analysed. The same scoring as Hunt.
// add() waits at most for a slice of an analysis (some milliseconds), never for all of it. Memory:
// at most 16 bytes a retained check-in and 300 a pair, analysis included.
class LiveHunt {
 public:
  struct Settings {
    HuntSettings hunt;  // memory_limit is the ceiling
    Duration retention = std::chrono::hours{24};
    double least_kept = 0.3;        // weaker pairs are measured and forgotten
    std::size_t most_kept = 4'000;  // and of the others the best: verdicts are large
    std::size_t most_open_flows = 100'000;
  };
  struct Counters {
    std::uint64_t pairs = 0, sources = 0, destinations = 0, ports = 0;  // retained
    std::uint64_t check_ins = 0, connections = 0;
    std::uint64_t events_added = 0, check_ins_expired = 0;  // expired: dropped or too old to add
    std::uint64_t legs_evicted = 0, check_ins_evicted = 0;  // by the memory ceiling
    std::uint64_t future_refused = 0;  // events from more than an hour ahead of `now`
    std::uint64_t open_flows_dropped = 0;
    std::size_t memory_bytes = 0;  // held, of series and flows
    Timestamp oldest{}, newest{};
  };

  explicit LiveHunt(const Settings& settings);
  ~LiveHunt();

  // Any thread; one thread a sink. Events wait in the sink, a few hundred at most, until settle()
  // or its end. `edge` tells equal flows of two edges apart. Events before the retention are
  // counted as expired, those from the future are refused: `now` is the server's clock.
  std::unique_ptr<FlowSink> sink(std::string edge, Timestamp now);

  // One caller at a time. `proceed` is asked now and then; false stops early with nothing.
  std::optional<LiveAnalysis> analyze(const std::function<bool()>& proceed);
  // Completes a listed pair with words, ids, addresses (see Hunt::complete). False if it is gone.
  bool complete(ScoredPair& pair);
  // One pair now, whatever its score, with its check-ins; by key, or key and name of a named pair.
  // Nothing if no such pair is retained. Its context is that of the last analysis, or as far as one
  // that is running has come.
  std::optional<ScoredPair> score_one(std::string_view identity, CheckIns* check_ins);

  // Forgets what is older than the retention and closes open flows not heard of for an hour.
  void expire(Timestamp now);
  void set_settings(const Settings& settings);  // from the next analysis on

  // Pairs in order of their key, after `after` (exclusive; empty: from the first).
  struct Filter {
    std::optional<Cidr> source, destination;
    std::string after;
    std::size_t limit = 100;
  };
  std::vector<PairSummary> pairs(const Filter& filter) const;
  std::uint64_t count(const Filter& filter) const;  // all that match
  std::vector<OpenFlow> open_flows(Duration at_least, std::size_t limit,
                                   std::uint64_t* total = nullptr) const;
  Counters counters() const;

  struct Parts;  // hunt/live_parts.h: for its own files

 private:
  std::unique_ptr<Parts> parts_;
};

}  // namespace beaconry
