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
// bounded by number and age; the identities of batches outlive them, so that nothing that the
// journal still holds counts twice. Any thread may call.
class Observations {
 public:
  struct Kept {
    std::uint64_t number = 0;  // in the order of arrival
    std::string edge;
    JudgedObservation judged;
  };
  static constexpr std::size_t kClasses = 7;
  using Totals = std::array<std::uint64_t, kClasses>;  // by ObservationClass, ever

  static Result<std::unique_ptr<Observations>> open(Database& database);

  // Was this batch kept, or so old that it must have been?
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
  Result<Page> page(const Query& query) const;
  // The newest ones, oldest first: what LeakBook remembers.
  Result<std::vector<Observation>> newest(std::size_t most) const;
  Result<Totals> totals() const;

  // Forgets the oldest beyond `most`, and those that were received before; batches accepted before
  // `batches_before` as well.
  Result<std::uint64_t> prune(std::uint64_t most, Timestamp before, Timestamp batches_before);

 private:
  explicit Observations(Database& database) : database_(database) {}
  Database& database_;
};

std::optional<ObservationClass> parse_observation_class(std::string_view word);

}  // namespace beaconry
