#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "detect/test_series.h"
#include "flow/flow_event.h"

namespace beaconry {

using namespace test_series;

// Flow events of a small network, whose names live as long as it does.
class Traffic {
 public:
  struct Call {
    std::string source, destination;
    std::uint16_t port = 443;
    Protocol protocol = Protocol::tcp;
    std::string name = {};
    NameKind name_kind = NameKind::tls_sni;
    bool burst = false;
    std::uint64_t out = 420;
  };

  void add(const Call& call, double seconds) {
    FlowEvent e;
    e.kind = call.burst ? FlowEventKind::burst : FlowEventKind::close;
    e.pair.source = *IpAddress::parse(call.source);
    e.pair.destination = *IpAddress::parse(call.destination);
    e.pair.port = call.port;
    e.pair.protocol = call.protocol;
    e.time = kStart + Duration{std::llround(seconds * 1e6)};
    e.bytes_out = call.out;
    e.bytes_in = 180;
    if (!call.name.empty()) {
      e.server_name = texts_.emplace_back(call.name);
      e.name_kind = call.name_kind;
    }
    e.id = texts_.emplace_back("C" + std::to_string(events_.size()));
    events_.push_back(e);
  }
  void add(const Call& call, const Times& times) {
    for (const double t : times)
      add(call, t);
  }
  // Other hosts with a visit or two, so that shares of the network mean something.
  void add_hosts(int count) {
    for (int i = 0; i < count; ++i) {
      const std::string host =
          "10.1." + std::to_string(i / 250) + '.' + std::to_string(i % 250 + 1);
      add({host, "198.51.100." + std::to_string(i % 250 + 1)}, i * 7.0);
    }
  }
  void shuffle(std::uint64_t seed) {
    Random r(seed);
    for (std::size_t i = events_.size(); i > 1; --i)
      std::swap(events_[i - 1], events_[r.below(i)]);
  }
  void cut(double seconds) {  // what begins later
    std::erase_if(events_, [&](const FlowEvent& e) {
      return e.time > kStart + Duration{std::llround(seconds * 1e6)};
    });
  }
  void sort() {
    std::stable_sort(events_.begin(), events_.end(),
                     [](const FlowEvent& a, const FlowEvent& b) { return a.time < b.time; });
  }
  const std::vector<FlowEvent>& events() const { return events_; }

 private:
  std::deque<std::string> texts_;  // stable addresses
  std::vector<FlowEvent> events_;
};

}  // namespace beaconry
