#pragma once
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "base/rate_bucket.h"
#include "ping/key_ring.h"
#include "ping/replay_window.h"

namespace beaconry {

// What home remembers of each probe that it knows: which pings it had, how far its clock is off,
// and how much it was answered. Bounded by the probes that are known. One thread.
class ProbeBook {
 public:
  // Pings are answered that were sent at most this long ago, by a clock whose error is known.
  static constexpr std::chrono::minutes kFresh{10};
  // The clock's error is known once so many pings in a row, in order, agree on it.
  static constexpr unsigned kAgreeing = 8;
  static constexpr std::chrono::minutes kAgreement{1};

  struct Record {
    std::uint64_t pings = 0, repeats = 0, answers = 0, tokens = 0;
    Timestamp heard{};
    Duration skew{0};  // ours minus its, the way included, once known
    bool skew_known = false;
  };

  ProbeBook(std::size_t answers_a_second, std::size_t repeats_a_minute);

  // Forgets all others.
  void know(const std::vector<KnownProbe>& probes);

  struct Heard {
    bool first = false;  // its probe, sequence and leg had not come before
    bool fresh = false;
    bool keep = true;  // false: repeated more often than is kept
  };
  // Of a probe that is known.
  Heard hear(const Ping& ping, Timestamp received);
  bool hear_token(ProbeId probe, Timestamp received);  // false: more often than is kept
  bool may_answer(ProbeId probe, Timestamp now);       // false: answered too often within a second

  const Record* find(ProbeId probe) const;

 private:
  struct Known {
    Record record;
    RateBucket answers, repeats;
    std::uint64_t highest = 0;  // sequence
    Duration candidate{0};      // for the skew
    unsigned agreeing = 0;
  };
  static void learn_skew(Known& known, const Ping& ping, Timestamp received);

  std::size_t answers_a_second_, repeats_a_minute_;
  std::unordered_map<std::uint64_t, Known> probes_;
  ReplayWindow window_;
};

}  // namespace beaconry
