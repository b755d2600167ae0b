#pragma once
// What the tests of the uplink share: events that own their strings, and a sink that keeps them.
#include <string>
#include <tuple>
#include <vector>

#include "flow/flow_event.h"

namespace beaconry {

struct KeptEvent {
  FlowEvent event;  // without its views
  std::string name, id;

  FlowEvent view() const {
    FlowEvent whole = event;
    whole.server_name = name;
    whole.id = id;
    return whole;
  }
  auto parts() const {
    return std::tuple(event.kind, event.begins_check_in, event.name_kind, event.pair,
                      event.source_port, event.time, event.duration, event.bytes_out,
                      event.bytes_in, name, id);
  }
  friend bool operator==(const KeptEvent& a, const KeptEvent& b) { return a.parts() == b.parts(); }
  friend std::ostream& operator<<(std::ostream& out, const KeptEvent& e) {
    return out << e.event.pair.to_string() << " " << to_rfc3339(e.event.time) << " " << e.name;
  }
};

struct KeptName {
  IpAddress address;
  std::string name;
  Timestamp time;
  friend bool operator==(const KeptName&, const KeptName&) = default;
};

class KeepingSink final : public FlowSink {
 public:
  void add(const FlowEvent& event) override {
    KeptEvent kept{event, std::string(event.server_name), std::string(event.id)};
    kept.event.server_name = kept.event.id = {};
    events.push_back(std::move(kept));
  }
  void add_host_name(const IpAddress& host, std::string_view name, Timestamp time) override {
    host_names.push_back({host, std::string(name), time});
  }
  void add_address_name(const IpAddress& address, std::string_view name, Timestamp time) override {
    address_names.push_back({address, std::string(name), time});
  }

  std::vector<KeptEvent> events;
  std::vector<KeptName> host_names, address_names;
};

inline Timestamp at(std::int64_t microseconds) {
  return Timestamp{Duration{microseconds}};
}

// A full event; what a test is about it changes.
inline KeptEvent sample_event() {
  KeptEvent kept;
  kept.event.kind = FlowEventKind::open;
  kept.event.name_kind = NameKind::tls_sni;
  kept.event.pair = *PairKey::parse("10.0.0.5->203.0.113.9:443/TCP");
  kept.event.source_port = 40'000;
  kept.event.time = at(1'780'000'000'000'000);
  kept.event.duration = std::chrono::milliseconds{250};
  kept.event.bytes_out = 517;
  kept.event.bytes_in = 0;
  kept.name = "c2.example.org";
  return kept;
}

}  // namespace beaconry
