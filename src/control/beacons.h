#pragma once
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "control/beacon_list.h"
#include "store/database.h"

namespace beaconry {

// Beacons with their history, by a pair's identity (ScoredPair::identity()). Any thread may call.
class Beacons {
 public:
  struct Beacon {
    std::string identity;
    std::string verdict;  // JSON object, as /api/v1/beacons shows it
    double score = 0;
    int severity = 0;  // 0 LOW ... 3 CRITICAL
    bool is_beacon = true;
    bool gone = false;                          // it was one, and calls no more
    Timestamp first_flagged{}, last_flagged{};  // flagged: an analysis called it a beacon
    Timestamp analyzed{};
    std::string watch;  // the state of BeaconWatch for it, its own words
    // What lists show of it; where it is not given it is as it was, or read out of the verdict.
    std::optional<BeaconRow> row;
  };
  struct Point {
    Timestamp time{};
    double score = 0;
    int severity = 0;
  };
  static constexpr std::size_t kMostPoints = 500;  // of a history; the oldest go

  static Result<std::unique_ptr<Beacons>> open(Database& database);

  // What an analysis found, all in one transaction. first_flagged of known ones is kept; a point is
  // added where score or severity changed, and once an hour.
  Result<void> save(std::span<const Beacon> beacons);

  struct Query {
    double least_score = 0;
    bool with_gone = false;
    std::size_t limit = 100;
    std::string cursor;  // what the last page gave; empty: from the first
  };
  struct Page {
    std::vector<Beacon> beacons;  // best score first
    std::string next;             // cursor of the next page; empty: there is none
    std::uint64_t count = 0;      // all that match
  };
  Result<Page> page(const Query& query) const;
  // The same in short, sorted and filtered, out of memory.
  BeaconList::Page list(const BeaconList::Query& query) const;
  Result<std::optional<Beacon>> find(const std::string& identity) const;
  Result<std::vector<Beacon>> all() const;  // for BeaconWatch at start
  Result<std::vector<Point>> history(const std::string& identity) const;  // oldest first
  Result<bool> remove(const std::string& identity);
  Result<std::uint64_t> remove_all();
  Result<bool> empty() const;  // nothing was ever saved: the first analysis sends a digest
  // How many were ever removed: tells what is found anew from what was found before.
  Result<std::uint64_t> removals() const;
  // Forgets those that were last flagged before.
  Result<std::uint64_t> expire(Timestamp before);

 private:
  explicit Beacons(Database& database) : database_(database) {}
  BeaconRow row_of(const Beacon& beacon) const;
  Result<void> load();

  Database& database_;
  std::mutex saving_;  // taken before mutex_: memory follows the table's order of changes
  mutable std::mutex mutex_;
  mutable BeaconList list_;  // under mutex_
};

}  // namespace beaconry
