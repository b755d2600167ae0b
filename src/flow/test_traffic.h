#pragma once
// Packets for tests of the flow table, and what it made of them.
#include <cmath>
#include <string>
#include <vector>

#include "flow/flow_table.h"
#include "packet/test_messages.h"

namespace beaconry::test_traffic {

using test_messages::Bytes;

// An event that outlives its call.
struct Seen {
  FlowEventKind kind;
  bool begins_check_in;
  NameKind name_kind;
  std::string pair, name, id;
  std::uint16_t source_port;
  double time, duration;  // seconds
  std::uint64_t out, in;
};

class Recorder : public FlowSink {
 public:
  void add(const FlowEvent& e) override {
    events.push_back({e.kind, e.begins_check_in, e.name_kind, e.pair.to_string(),
                      std::string(e.server_name), std::string(e.id), e.source_port,
                      to_seconds(e.time), to_seconds(e.duration), e.bytes_out, e.bytes_in});
  }
  void add_host_name(const IpAddress& host, std::string_view name, Timestamp) override {
    host_names.push_back(host.to_string() + ' ' + std::string(name));
  }
  void add_address_name(const IpAddress& address, std::string_view name, Timestamp) override {
    address_names.push_back(address.to_string() + ' ' + std::string(name));
  }

  std::vector<Seen> check_ins() const {
    std::vector<Seen> some;
    for (const Seen& event : events) {
      if (event.begins_check_in) some.push_back(event);
    }
    return some;
  }

  std::vector<Seen> events;
  std::vector<std::string> host_names, address_names;
};

struct End {
  const char* address;
  std::uint16_t port;
};

inline Timestamp at(double seconds) {
  return Timestamp{Duration{std::llround(seconds * 1e6)}};
}

// Sends packets into a table. Payload bytes live as long as the call.
class Traffic {
 public:
  explicit Traffic(FlowTable::Options options = {}) : table(std::move(options), seen) {}

  PacketUse send(double time, End from, End to, std::uint8_t protocol, std::uint8_t flags = 0,
                 std::uint32_t sequence = 0, const Bytes& payload = {}) {
    ParsedPacket packet{};
    const auto source = IpAddress::parse(from.address), destination = IpAddress::parse(to.address);
    std::copy(source->bytes().begin(), source->bytes().end(), packet.source);
    std::copy(destination->bytes().begin(), destination->bytes().end(), packet.destination);
    packet.source_port = from.port;
    packet.destination_port = to.port;
    packet.protocol = protocol;
    packet.tcp_flags = flags;
    packet.tcp_sequence = sequence;
    packet.payload = payload.data();
    packet.payload_length = packet.payload_captured = static_cast<std::uint32_t>(payload.size());
    packet.icmp_type = icmp_type;
    packet.fragment = fragment;
    return table.add_packet(packet, at(time), {++number, file});
  }
  PacketUse udp(double time, End from, End to, const Bytes& payload) {
    return send(time, from, to, kProtocolUdp, 0, 0, payload);
  }
  PacketUse tcp(double time, End from, End to, std::uint8_t flags, std::uint32_t sequence = 0,
                const Bytes& payload = {}) {
    return send(time, from, to, kProtocolTcp, flags, sequence, payload);
  }

  Recorder seen;
  FlowTable table;
  std::uint64_t number = 0;
  std::uint32_t file = 0;
  std::uint8_t icmp_type = 8;
  std::uint8_t fragment = kWhole;
};

// One TCP connection with its sequence numbers.
class Connection {
 public:
  Connection(Traffic& traffic, End client, End server, std::uint32_t first = 1000)
      : traffic_(traffic), ends_{client, server}, next_{first, first + 5000} {}

  void open(double time) {
    send(time, 0, kTcpSyn);
    send(time + 0.01, 1, kTcpSyn | kTcpAck);
    ++next_[0], ++next_[1];
    send(time + 0.02, 0, kTcpAck);
  }
  void out(double time, const Bytes& payload) { data(time, 0, payload); }
  void in(double time, const Bytes& payload) { data(time, 1, payload); }
  void close(double time) {
    send(time, 0, kTcpFin | kTcpAck);
    send(time + 0.01, 1, kTcpFin | kTcpAck);
    ++next_[0], ++next_[1];
    send(time + 0.02, 0, kTcpAck);
  }
  void reset(double time) { send(time, 0, kTcpRst); }
  // A packet at `behind` bytes before what comes next.
  void send(double time, unsigned end, int flags, const Bytes& payload = {},
            std::uint32_t behind = 0) {
    traffic_.tcp(time, ends_[end], ends_[1 - end], static_cast<std::uint8_t>(flags),
                 next_[end] - behind, payload);
  }
  std::uint32_t next(unsigned end) const { return next_[end]; }

 private:
  void data(double time, unsigned end, const Bytes& payload) {
    send(time, end, kTcpAck, payload);
    next_[end] += static_cast<std::uint32_t>(payload.size());
  }

  Traffic& traffic_;
  End ends_[2];
  std::uint32_t next_[2];
};

inline const End kClient{"10.0.0.5", 50'000};
inline const End kServer{"203.0.113.9", 443};
inline const char* const kPair = "10.0.0.5->203.0.113.9:443/TCP";

}  // namespace beaconry::test_traffic
