#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "control/batch_cursor.h"

namespace beaconry {

// One numbered stream of an edge's batches (one spool, one incarnation): which came, what explains
// those that did not, and up to which time of the edge's clock it is complete. A pure function of
// what is told to it. One caller at a time.
//
// A gap is explained as far as the edge's own count of dropped batches grew over it, or this server
// refused the batches in it. What nothing explains may still come, as long as it is young; an edge
// sends in order, so after kGivenUp it is counted as lost.
class BatchStream {
 public:
  static constexpr auto kGivenUp = std::chrono::hours{24};
  static constexpr std::size_t kMostRefused = 64;  // remembered until a later batch comes

  struct Batch {
    std::uint64_t sequence = 0;            // REQUIRES: not 0
    Timestamp made{};                      // by the edge: all it had taken by then is in it or
                                           // in an earlier one; epoch: it does not tell
    std::optional<std::uint64_t> dropped;  // by its spool, ever
  };
  void take(const Batch& batch, Timestamp received);
  void refuse(std::uint64_t sequence);  // it will not be taken, ever

  const BatchCursor& cursor() const { return cursor_; }
  std::uint64_t received() const { return received_; }
  // Neither came nor was dropped by the edge nor refused, and not given up.
  std::uint64_t unexplained() const;
  // By the edge's clock: all that it had taken before has arrived or is counted as lost. Nothing:
  // it does not tell times.
  std::optional<Timestamp> complete_up_to(Timestamp now) const;

  std::string to_text() const;
  static Result<BatchStream> parse(BatchCursor cursor, std::string_view text);

 private:
  BatchCursor cursor_;
  std::uint64_t received_ = 0, explained_ = 0;
  std::optional<std::uint64_t> dropped_;  // as last told
  Timestamp latest_{};                    // made, of the newest
  // Made, of the newest before the oldest gap that nothing explains, and when that gap was seen.
  Timestamp held_at_{}, held_since_{};
  std::vector<std::uint64_t> refused_;  // above the cursor's highest
};

}  // namespace beaconry
