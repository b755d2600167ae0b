#pragma once
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>

#include "escape/outbox.h"
#include "escape/segment.h"

namespace beaconry {

// Finds the MAC of a next hop by ARP or neighbour solicitation, and keeps packets for it until it
// is known: bounded, each hop asked at most three times. One thread.
class NextHops {
 public:
  static constexpr std::size_t kMostPackets = 64, kMostHops = 64;
  static constexpr int kMostQuestions = 3;

  struct Hooks {
    std::function<void(Outgoing)> emit;
  };
  // The segment outlives this.
  NextHops(const Segment& segment, const MacAddress& ours, Hooks hooks);

  // `out.frame` is an IP packet; it leaves as a frame to `hop`, or is done with a reason.
  void send(const IpAddress& hop, Outgoing out, Timestamp now);
  // Asks without a packet; nothing if it is known.
  void resolve(const IpAddress& hop, Timestamp now, int questions = kMostQuestions);
  void poll(Timestamp now);
  Timestamp due() const;  // kLatest: nothing is awaited
  bool is_fresh(const IpAddress& hop, Timestamp now) const { return fresh(hop, now).has_value(); }
  // Until when one that was asked in vain is not asked again; Timestamp{}: it was not.
  Timestamp silent_until(const IpAddress& hop) const;
  std::size_t waiting() const { return packets_; }
  std::size_t asking() const { return asked_.size(); }  // hops whose answer is awaited

 private:
  struct Asked {
    std::deque<Outgoing> packets;
    int questions_left = 0;
    bool question_waits = false;  // for the budget
    Timestamp next = kLatest;
  };

  std::optional<MacAddress> fresh(const IpAddress& hop, Timestamp now) const;
  void ask(const IpAddress& hop, Asked& asked, Timestamp now);
  void give_up(const IpAddress& hop, const std::string& why, Timestamp now);

  const Segment& segment_;
  MacAddress ours_;
  Hooks hooks_;
  std::map<IpAddress, Asked> asked_;
  std::map<IpAddress, Timestamp> silent_;  // did not answer, until when it is not asked again
  std::size_t packets_ = 0;
};

}  // namespace beaconry
