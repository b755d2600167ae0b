#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "bus/messages.h"
#include "flow/flow_event.h"
#include "hunt/live_hunt.h"

namespace beaconry {

// Whether a flow is the platform's canary (sensor/canary_traffic.h).
bool is_canary(const PairKey& pair);

// Holds what the collector sent of the canary against detection itself: the same series, scoring
// and threshold as the server's. Healthy means that known traffic on the interface came back as a
// beacon, with its interval, just now. One thread.
class CanaryWatch {
 public:
  explicit CanaryWatch(std::chrono::seconds export_interval);

  void add(const FlowEvent& event, Timestamp now);
  // Scores what there is, at most every few seconds.
  void work(Timestamp now);
  // `started`: when the collector began, since when the canary could be seen.
  Health health(Timestamp now, Timestamp started) const;

 private:
  std::chrono::seconds patience_;
  std::unique_ptr<LiveHunt> hunt_;
  std::unique_ptr<FlowSink> sink_;
  std::uint64_t check_ins_ = 0;
  Timestamp last_seen_{}, last_found_{}, scored_{};
  double score_ = 0, interval_ = 0;
  std::string why_;  // the last verdict in words, where it was none of a beacon
};

}  // namespace beaconry
