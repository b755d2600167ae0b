#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "bus/messages.h"
#include "sensor/reported_state.h"

namespace beaconry {

// One file that one instance wished for, and how far it is: its states, when it is due, what was
// installed, what was there before and which contents are not taken again. Pure but for its JSON.
// `now` is the clock of the day, `steady` that of deadlines.
class ResourceEntry {
 public:
  static constexpr std::chrono::seconds kSoonest{10};  // that a file may be asked for again
  static constexpr std::uint64_t kMostBytes = 256 << 20;

  // Words for an instrument whose wish cannot be taken; empty: it can.
  static std::string why_not(const ResourceWish& wish);

  ResourceEntry() = default;
  ResourceEntry(const ResourceWish& of, Timestamp steady, Timestamp now);
  static std::optional<ResourceEntry> restore(std::string_view kept_json, Timestamp steady,
                                              Timestamp now);
  std::string kept() const;

  // Another file under the name is due at once, but after failures only when their pause is over.
  void wish_again(const ResourceWish& of, Timestamp steady, Timestamp now);
  void hurry(Timestamp steady);  // at once, whatever the pause
  bool is_due(Timestamp steady) const;

  void wait_for(const std::string& why, Timestamp now);  // PENDING
  void downloading(Timestamp now);
  // Not changed since `etag`, or what came is what is there.
  void unchanged(const std::string& etag, Timestamp steady, Timestamp now);
  // Tried again after 1, 5, 10, 15, 30, 60 minutes.
  void failed(const std::string& why, Timestamp steady, Timestamp now);
  // Nobody was asked for it: another file under the name need not wait.
  void not_asked_for(const std::string& why, Timestamp steady, Timestamp now);
  // Durable before the switch: from here until confirmed() or rolled_back() both are kept.
  void installing(const std::string& sha256, const std::string& etag, Timestamp now);
  bool is_installing() const { return state == UpdateState::installing; }
  void confirmed(Timestamp steady, Timestamp now);
  void rolled_back(const std::string& why, Timestamp steady, Timestamp now);
  bool is_refused(const std::string& sha256) const;

  ResourceWish wish;
  UpdateState state = UpdateState::pending;
  std::string reason;
  Timestamp since{};
  std::optional<Timestamp> looked, retry;  // of the day, for people
  std::string etag;       // of what was seen last, unless it was refused for its signature
  std::string installed;  // SHA-256 of what the name leads to; empty: nothing
  std::string previous;   // while installing: what to go back to
  std::vector<std::string> refused;        // SHA-256 of what was rolled back
  std::string rollback;                    // why, while that is still what is offered
  std::uint64_t accepted = 0;              // when the newest that was good was signed; seconds
  std::uint64_t signed_at = 0;             // while installing: the same of that one
  bool restarted = false;                  // while installing: a start with it has begun
  std::optional<Timestamp> confirm_by;     // steady; since that start
  std::optional<Timestamp> confirm_from;   // steady
  std::optional<Timestamp> asked_restart;  // steady

 private:
  void become(UpdateState next, const std::string& why, Timestamp now);
  unsigned attempts_ = 0;  // that failed in a row
  Timestamp next_{};       // steady
};

}  // namespace beaconry
