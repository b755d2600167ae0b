#include "control/packet_flows.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>

#include "packet/parse.h"

namespace beaconry {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Timestamp kStart{seconds{1'763'700'000}};

struct Events final : FlowSink {
  void add(const FlowEvent& event) override { all.push_back(event); }
  void add_host_name(const IpAddress&, std::string_view, Timestamp) override {}
  void add_address_name(const IpAddress&, std::string_view, Timestamp) override {}
  std::vector<FlowEvent> all;
  std::vector<FlowEvent> check_ins() const {
    std::vector<FlowEvent> some;
    for (const FlowEvent& event : all) {
      if (event.begins_check_in) some.push_back(event);
    }
    return some;
  }
};

PacketEvent packet(const char* source, unsigned source_port, const char* destination,
                   unsigned destination_port, Duration after = Duration{0}, unsigned flags = 0,
                   Protocol protocol = Protocol::tcp, unsigned size = 500) {
  PacketEvent event;
  event.time = kStart + after;
  event.source = *IpAddress::parse(source);
  event.destination = *IpAddress::parse(destination);
  event.source_port = static_cast<std::uint16_t>(source_port);
  event.destination_port = static_cast<std::uint16_t>(destination_port);
  event.tcp_flags = static_cast<std::uint8_t>(flags);
  event.protocol = protocol;
  event.size = size;
  return event;
}

constexpr const char* kInside = "10.0.0.5";
constexpr const char* kOutside = "203.0.113.9";

std::vector<FlowEvent> events_of(std::vector<PacketEvent> packets) {
  PacketFlows flows({});
  Events events;
  flows.add("n", packets, events);
  return events.all;
}

TEST(PacketFlows, WhoSentTheSynOpened) {
  // The ports alone would say otherwise.
  const auto events = events_of({packet(kInside, 443, kOutside, 50'000, {}, kTcpSyn)});
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].pair.to_string(), "10.0.0.5->203.0.113.9:50000/TCP");
  EXPECT_EQ(events[0].source_port, 443);
  const auto answered = events_of({packet(kOutside, 50'000, kInside, 443, {}, kTcpSyn | kTcpAck)});
  EXPECT_EQ(answered.at(0).pair.to_string(), "10.0.0.5->203.0.113.9:50000/TCP");
}

TEST(PacketFlows, InTheMiddlePortsAndNetworksTellWhoOpened) {
  const auto events = events_of({packet(kOutside, 443, kInside, 50'000, {}, kTcpAck | 8)});
  EXPECT_EQ(events.at(0).pair.to_string(), "10.0.0.5->203.0.113.9:443/TCP");
  EXPECT_EQ(events.at(0).bytes_in, 500U);
  EXPECT_EQ(events.at(0).bytes_out, kUnknownBytes);
}

TEST(PacketFlows, FirstSenderOpensWhereNothingTellsMore) {
  for (const Protocol protocol : {Protocol::tcp, Protocol::udp}) {
    const auto events = events_of({packet(kInside, 12'345, "10.0.0.6", 50'051, {}, 0, protocol)});
    EXPECT_EQ(events.at(0).pair.port, 50'051);
  }
  const auto ping = events_of({packet(kInside, 0, kOutside, 0, {}, 0, Protocol::icmp)});
  EXPECT_EQ(ping.at(0).pair.to_string(), "10.0.0.5->203.0.113.9:0/ICMP");
}

TEST(PacketFlows, BothDirectionsAndRepeatsAreOneCheckIn) {
  const auto events = events_of({
      packet(kInside, 50'000, kOutside, 443, {}, kTcpSyn, Protocol::tcp, 74),
      packet(kOutside, 443, kInside, 50'000, milliseconds{20}, kTcpSyn | kTcpAck, Protocol::tcp,
             74),
      packet(kInside, 50'000, kOutside, 443, milliseconds{120}, kTcpAck | 8, Protocol::tcp, 300),
      packet(kOutside, 443, kInside, 50'000, milliseconds{220}, kTcpAck | 8, Protocol::tcp, 900),
      packet(kInside, 50'000, kOutside, 443, milliseconds{320}, kTcpAck | 1, Protocol::tcp, 66),
  });
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].kind, FlowEventKind::open);
  EXPECT_EQ(events[0].duration, milliseconds{320});
  EXPECT_EQ(events[0].bytes_out, 300U);  // neither of SYN nor FIN
  EXPECT_EQ(events[0].bytes_in, 900U);
  EXPECT_EQ(events[1].kind, FlowEventKind::close);
  EXPECT_FALSE(events[1].begins_check_in);
}

TEST(PacketFlows, ASynThatIsLongerThanItsHeadersCarriesData) {
  const auto events =
      events_of({packet(kInside, 50'000, kOutside, 443, {}, kTcpSyn, Protocol::tcp, 128)});
  EXPECT_EQ(events.at(0).bytes_out, 128U);
}

TEST(PacketFlows, ActivityAfterSilenceIsABurstAndAKeepAliveIsNone) {
  const auto events = events_of({
      packet(kInside, 50'000, kOutside, 443, {}, kTcpAck | 8),
      packet(kInside, 50'000, kOutside, 443, seconds{30}, kTcpAck, Protocol::tcp, 66),
      packet(kInside, 50'000, kOutside, 443, seconds{50}, kTcpAck | 8),
  });
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[1].kind, FlowEventKind::burst);
  EXPECT_EQ(events[1].time, kStart + seconds{50});
}

TEST(PacketFlows, ASynAfterTheEndOpensAnotherFlowOfTheSamePorts) {
  const auto events = events_of({
      packet(kInside, 50'000, kOutside, 443, {}, kTcpSyn),
      packet(kInside, 50'000, kOutside, 443, milliseconds{200}, kTcpAck | 1),
      packet(kInside, 50'000, kOutside, 443, seconds{5}, kTcpSyn),
      packet(kInside, 50'000, kOutside, 443, seconds{6}, kTcpSyn),  // sent again
  });
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[2].kind, FlowEventKind::open);
}

TEST(PacketFlows, LongFlowsAreReportedAlive) {
  std::vector<PacketEvent> packets;
  for (int i = 0; i < 10; ++i)
    packets.push_back(packet(kInside, 50'000, kOutside, 443, seconds{30} * i, kTcpAck | 8));
  std::size_t alive = 0;
  for (const FlowEvent& event : events_of(packets)) {
    if (event.kind != FlowEventKind::alive) continue;
    ++alive;
    EXPECT_EQ(event.time, kStart);
    EXPECT_FALSE(event.begins_check_in);
  }
  EXPECT_EQ(alive, 4U);
}

TEST(PacketFlows, NodesDoNotMixAndTheTableIsBounded) {
  PacketFlows::Options options;
  options.most_flows = 100;
  PacketFlows flows(options);
  Events events;
  for (const char* node : {"a", "b"}) {
    std::vector<PacketEvent> packets;
    for (unsigned i = 0; i < 1000; ++i)
      packets.push_back(packet(kInside, 10'000 + i, kOutside, 443, milliseconds{i}));
    flows.add(node, packets, events);
  }
  EXPECT_EQ(events.check_ins().size(), 2000U);
  EXPECT_LE(flows.flows(), 100U);
  EXPECT_EQ(flows.evicted() + flows.flows(), 2000U);
}

// However packets are cut into batches, the check-ins
// begin at the same times.
RC_GTEST_PROP(PacketFlows, CheckInsDoNotDependOnHowTheyAreBatched, ()) {
  std::vector<PacketEvent> packets;
  const auto count = *rc::gen::inRange<std::size_t>(1, 60);
  Duration at{0};
  for (std::size_t i = 0; i < count; ++i) {
    at += milliseconds{*rc::gen::element(100, 400, 900, 5000, 61'000)};
    const unsigned port = *rc::gen::element(50'000U, 50'001U);
    const unsigned flags = *rc::gen::element<unsigned>(0U, kTcpSyn, kTcpAck | 8, kTcpAck | kTcpFin);
    const bool out = *rc::gen::arbitrary<bool>();
    packets.push_back(out ? packet(kInside, port, kOutside, 443, at, flags)
                          : packet(kOutside, 443, kInside, port, at, flags | kTcpAck));
  }
  const auto times = [](const std::vector<FlowEvent>& events) {
    std::multimap<std::string, Timestamp> all;
    for (const FlowEvent& event : events)
      all.emplace(event.pair.to_string() + std::to_string(event.source_port), event.time);
    return all;
  };
  Events whole;
  std::vector<PacketEvent> copy = packets;
  PacketFlows({}).add("n", copy, whole);

  Events parts;
  const auto flows = std::make_unique<PacketFlows>(PacketFlows::Options{});
  for (std::size_t i = 0; i < packets.size();) {
    const std::size_t size = *rc::gen::inRange<std::size_t>(1, 20);
    const std::size_t end = std::min(packets.size(), i + size);
    std::vector<PacketEvent> batch(packets.begin() + static_cast<std::ptrdiff_t>(i),
                                   packets.begin() + static_cast<std::ptrdiff_t>(end));
    flows->add("n", batch, parts);
    i = end;
  }
  RC_ASSERT(times(whole.check_ins()) == times(parts.check_ins()));
}

TEST(PacketFlows, GoesOnAfterARestartWithWhatItHadToldOf) {
  Events before, after;
  std::vector<PacketEvent> first{packet(kInside, 50'000, kOutside, 4444, {}, kTcpSyn),
                                 packet(kInside, 50'001, kOutside, 4444, {}, kTcpSyn)};
  PacketFlows({}).add("n", first, before);
  PacketFlows flows({});
  for (const FlowEvent& event : before.all)
    flows.restore("n", event);
  // Within the burst gap, from the other end: still the same activity of the same flow.
  std::vector<PacketEvent> second{
      packet(kOutside, 4444, kInside, 50'000, milliseconds{300}, kTcpAck | 8),
      packet(kOutside, 4444, kInside, 50'001, seconds{30}, kTcpAck | 8)};
  flows.add("n", second, after);
  ASSERT_EQ(after.all.size(), 2U);
  EXPECT_FALSE(after.all[0].begins_check_in);
  EXPECT_TRUE(after.all[1].begins_check_in);
  EXPECT_EQ(after.all[1].kind, FlowEventKind::burst);
  EXPECT_EQ(after.all[1].pair.to_string(), "10.0.0.5->203.0.113.9:4444/TCP");
}

}  // namespace
}  // namespace beaconry
