#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "control/batch_cursor_rows.h"
#include "leak/leak.h"
#include "store/database.h"

namespace beaconry {

// One batch of observations as it came: (edge, incarnation, sequence) is its identity.
struct ObservationSource {
  std::string edge, incarnation;
  std::uint64_t sequence = 0;
  Timestamp accepted{};  // by the server's clock, as the journal has it
};

// An observation with what was made of it.
struct JudgedObservation {
  Observation seen;
  ObservationClass what{};
  std::string leak;  // id; empty: none came of it
};

// What homes saw, as it is kept: each observation once, however often its batch comes. Rows are
// bounded by number and age, and those that anybody can cause (unknown keys, replays) to a part of
// it, so that they drive no evidence out. Of batches whose rows are gone their numbers are known by
// edge and incarnation, the newest kMostIncarnations of each: nothing that the journal still holds
// counts twice, whatever the clock says. Any thread may call.
class Observations {
 public:
  struct Kept {
    std::uint64_t number = 0;  // in the order of arrival
    std::string edge;
    JudgedObservation judged;
  };
  static constexpr std::size_t kClasses = 7;
  static constexpr std::size_t kMostIncarnations =
      BatchCursorRows::kMostIncarnations;              // of an edge
  static constexpr std::uint64_t kNoisePart = 10;      // of `most`: one in so many
  using Totals = std::array<std::uint64_t, kClasses>;  // by ObservationClass, ever

  static Result<std::unique_ptr<Observations>> open(Database& database);

  // Was this batch kept?
  Result<bool> knows(const ObservationSource& source) const;
  // Within the caller's transaction: its rows, its identity, the totals.
  static void write(SQLite::Database& tables, const ObservationSource& source,
                    std::span<const JudgedObservation> rows);

  struct Query {
    std::string probe, leak, edge, receiver;  // empty: any
    std::optional<MethodId> method;
    std::optional<ObservationClass> what;
    std::optional<Timestamp> since;  // received
    std::size_t limit = 100;
    std::uint64_t before = 0;  // number: older ones only; 0: from the newest
  };
  struct Page {
    std::vector<Kept> observations;  // newest first
    std::uint64_t next = 0;          // `before` of the next page; 0: there is none
    std::uint64_t count = 0;         // all that match
  };
  // Piece by piece, so that a long search holds up no batch.
  Result<Page> page(const Query& query) const;
  // The newest ones, oldest first, but noise: what LeakBook remembers.
  Result<std::vector<Observation>> newest(std::size_t most) const;
  Result<Totals> totals() const;

  // Forgets the oldest beyond `most`, of unknown keys and replays beyond a part of it, and those
  // whose batch was accepted before.
  Result<std::uint64_t> prune(std::uint64_t most, Timestamp before);

 private:
  explicit Observations(Database& database) : database_(database) {}
  Database& database_;
};

std::optional<ObservationClass> parse_observation_class(std::string_view word);

}  // namespace beaconry
