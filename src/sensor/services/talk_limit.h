#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/rate_bucket.h"
#include "bus/messages.h"

namespace beaconry {

// How much one instance may say on the bus, in all: the broker's queue to the platform is shared,
// and who fills it silences the others. Every message costs, before it is looked at: 1, and 1 for
// each 4 KiB; what is no message costs twice. Times as in ConfigDelivery.
class TalkLimit {
 public:
  static constexpr double kMost = 10'000;          // at once: an outbox is said again after a break
  static constexpr double kOverrun = 10'000;       // dropped in one overrun, ...
  static constexpr std::chrono::seconds kLong{5};  // ... or so long a one: it is barred
  static constexpr std::chrono::seconds kBar{60};

  explicit TalkLimit(unsigned events_per_second) { set(events_per_second); }
  void set(unsigned events_per_second);  // of its manifest

  enum class Verdict : std::uint8_t { take, drop, bar };  // bar: drop it, and take its account away
  Verdict charge(std::size_t bytes, Timestamp steady);
  // True once, when a bar is over.
  bool take_end_of_bar(Timestamp steady);
  // True once for each overrun, a minute apart: name it.
  bool take_news(Timestamp steady);

  std::uint64_t dropped() const { return dropped_; }
  Health health(Timestamp steady) const;  // "bus": healthy, or that it floods

 private:
  static double rate(unsigned events_per_second) { return 200 + 2.0 * events_per_second; }

  unsigned events_per_second_ = 0;
  RateBucket bucket_{rate(0), kMost};
  std::uint64_t dropped_ = 0;
  double overrun_ = 0;  // costs, in this overrun
  bool news_ = false;
  std::optional<Timestamp> since_, last_;  // of this overrun
  std::optional<Timestamp> barred_;        // until then
  std::optional<Timestamp> next_word_;
};

}  // namespace beaconry
