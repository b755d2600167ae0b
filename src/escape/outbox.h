#pragma once
#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>

#include "escape/budget.h"

namespace beaconry {

// One frame on its way to Egress.
struct Outgoing {
  // Later ones wait for earlier ones; answers to others take every second place at most.
  enum class Rank : std::uint8_t { housekeeping, conversation, attempt, answer };

  Bytes frame;
  Rank rank = Rank::housekeeping;
  MethodId method = MethodId::none;
  std::uint32_t traits = 0;
  // Called once: it left (`why` is empty), or never will.
  std::function<void(const std::string& why, Timestamp now)> done;

  void finish(const std::string& why, Timestamp now) {
    if (done) done(why, now);
  }
};

// Frames that wait for the budget. Bounded; what finds no room is done with that reason. One
// thread.
class Outbox {
 public:
  static constexpr std::size_t kMost = 2048, kMostAnswers = 32;
  static constexpr int kMostFailures = 10;

  void put(Outgoing out, Timestamp now);
  // Lets out what the budget allows now. The link's complaint, if it has one.
  std::string pump(Egress& egress, Timestamp now);
  void drop_all(const std::string& why, Timestamp now);
  Timestamp due() const { return due_; }  // kLatest: nothing waits
  std::size_t size() const;
  std::size_t own() const;  // without the answers to others

 private:
  static constexpr std::size_t kRanks = 4;
  // How far behind a frame that waits (for the broadcasts' budget, say) others may pass it.
  static constexpr std::size_t kLookAhead = 8;
  bool send_one(std::deque<Outgoing>& queue, Egress& egress, Timestamp now, std::string& complaint);

  std::array<std::deque<Outgoing>, kRanks> queues_;
  Timestamp due_ = kLatest;
  bool answered_last_ = false;
  int failures_ = 0;
};

}  // namespace beaconry
