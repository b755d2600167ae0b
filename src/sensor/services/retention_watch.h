#pragma once
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "bus/messages.h"
#include "sensor/reported_state.h"

namespace beaconry {

// Sees to it that one instrument deletes what is past its retention: commands it once an hour and
// after each start, checks the receipts, and tells which are overdue. Times as in ConfigDelivery.
class RetentionWatch {
 public:
  static constexpr std::chrono::hours kEvery{1}, kDeadline{1};
  // An error, or data that is still too old, is asked for again sooner.
  static constexpr std::chrono::minutes kAgain{10};

  void restore(std::string_view kept_json);
  std::string kept() const;
  bool take_changed();
  bool take_overdue();  // true once each time that it becomes overdue

  void set(std::chrono::hours retention);  // not positive: everything is kept, nothing commanded
  void started(Timestamp steady);
  void stopped();
  // It is there; with a hello, anew: what it has not answered may be lost, and is said again.
  void heard(bool hello);
  std::optional<to_instrument::Retain> due(Timestamp steady, Timestamp now) const;
  void sent(const to_instrument::Retain& command, Timestamp steady, Timestamp now);
  // False: a receipt for no command of ours.
  bool receipt(const RetentionReceipt& receipt, Timestamp steady, Timestamp now);
  void work(Timestamp steady);

  InstanceReport::Retention report() const { return report_; }

 private:
  std::chrono::hours retention_{};
  std::deque<to_instrument::Retain> commands_;  // the last few
  std::optional<Timestamp> next_, deadline_;    // steady
  bool there_ = false, changed_ = false, told_overdue_ = false;
  InstanceReport::Retention report_;
};

}  // namespace beaconry
