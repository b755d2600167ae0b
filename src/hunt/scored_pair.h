#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "detect/verdict.h"
#include "flow/flow_event.h"
#include "series/check_in.h"

namespace beaconry {

enum class PairKind : std::uint8_t { address, named };

// How a pair stands against an earlier report.
enum class Change : std::uint8_t { none, fresh, changed, gone };  // written NEW, CHANGED, GONE

// New connections and bursts inside running ones are check-ins of different kinds. Where a pair
// has many of both, each kind is judged alone and the better verdict stands.
enum class Kinds : std::uint8_t { all, opens, bursts };

// Why a pair is not in the default list although it was scored.
enum class Hidden : std::uint8_t {
  no,
  below_score,  // below --min-score or the alert threshold
  represented,  // a named pair stands for it
  allow_listed,
  baseline,  // the benign baseline, as configured
  triaged,   // an earlier decision applies
  gated,     // a configured gate (min_duration, intervals, ...) shuts it out
  ours,      // of a probe of ours on its way home; only a server knows
};
constexpr std::size_t kHiddenReasons = 8;

// One pair with its verdict: what every output format prints.
struct ScoredPair {
  std::uint32_t series_id = 0;  // of the hunt that scored it
  PairKind kind = PairKind::address;
  PairKey key;                          // a named pair: its most used address
  std::vector<IpAddress> destinations;  // a named pair: all addresses, most used first
  std::string server_name;              // empty where there is none
  NameKind name_kind = NameKind::none;
  std::string address_name;  // from DNS answers, where no flow named a server
  std::string source_name;   // from DHCP; may be empty
  bool inbound = false;      // outside opens to inside

  std::uint64_t connection_count = 0;
  std::uint64_t check_ins = 0;
  Kinds judged = Kinds::all;          // which check-ins the verdict is about
  std::uint64_t burst_check_ins = 0;  // of these, inside running flows
  std::optional<std::uint64_t> bytes_out, bytes_in;
  Timestamp first_seen{}, last_seen{};
  std::vector<std::string> uids;  // at most five, to pivot on

  Verdict verdict;
  Hidden hidden = Hidden::no;
  std::string hidden_reason;     // "stood for by cdn.evil.tld", "min_duration 300 s"
  double represented_share = 0;  // of its connections that go by that name
  std::string represented_by;    // the server name of the named pair that stands for it
  Change change = Change::none;
  std::string change_reason;  // "interval 60.0s -> 300.0s"
  bool absent = false;        // gone, and not in the data: all else is the earlier report's
  std::string note;           // an earlier decision's words

  // The pair's identity between runs: key and, for a named pair, its name without the address.
  std::string identity() const;
};

// The check-ins of a scored pair in time order, for pictures and --explain.
using CheckIns = std::vector<CheckIn>;

}  // namespace beaconry
