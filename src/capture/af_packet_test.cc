// AF_PACKET on veth pairs and the loopback of a network namespace of the test's own.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>

#include <chrono>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "base/fd.h"
#include "capture/capture.h"
#include "capture/packet_ring.h"
#include "capture/test_network.h"
#include "flow/flow_table.h"
#include "flow/test_traffic.h"
#include "packet/parse.h"
#include "packet/test_messages.h"

namespace beaconry {
namespace {

using namespace test_network;

class AfPacket : public LiveCapture {
 protected:
  void open(const std::vector<std::string>& interfaces) {
    CaptureOptions options;
    options.interfaces = interfaces;
    auto opened = open_af_packet(options, seen_);
    ASSERT_TRUE(opened) << opened.error().message();
    capture_ = std::move(*opened);
  }
};

TEST_F(AfPacket, GivesTheEventsThatTheSamePacketsGiveFromAFile) {
  std::vector<Packet> packets;
  for (std::uint16_t i = 0; i < 200; ++i) {
    const auto port = static_cast<std::uint16_t>(20'000 + i);
    const auto host = static_cast<std::uint32_t>(0x0a000100 + i);
    packets.push_back(i % 2 == 0 ? v4(port, 10U + i) : v6(port, 10U + i));
    if (i % 2 == 0) packets.back().from = IpAddress::v4(host);  // for every thread
    if (i % 5 == 0) packets.back().tags = {0x8100};
    if (i % 7 == 0) packets.back().tags = {0x88a8, 0x8100};
    packets.push_back(answer(packets.back(), 500));
  }
  Packet question = v4(30'000, 0);
  question.to_port = 53;
  question.payload = test_messages::dns_query("www.example.org");
  packets.push_back(question);

  Recorder expected;
  {
    FlowTable table(FlowTable::Options{}, expected);
    std::uint64_t number = 0;
    for (const Packet& packet : packets) {
      const Bytes frame = frame_of(packet);
      ParsedPacket parsed{};
      ASSERT_EQ(parse_packet(kLinkEthernet, frame.data(), frame.data() + frame.size(),
                             static_cast<std::uint32_t>(frame.size()), &parsed),
                kParsed);
      table.add_packet(parsed, now(), {++number, 0});
    }
    table.finish();
  }
  open({"va"});
  for (const Packet& packet : packets)
    send(packet);
  ASSERT_TRUE(wait_until([&] { return this->packets() >= packets.size(); }));
  capture_->finish(now());
  EXPECT_EQ(described(seen_), described(expected));

  const auto counters = capture_->counters();
  ASSERT_EQ(counters.interfaces.size(), 1U);
  const InterfaceCounters& va = counters.interfaces[0];
  EXPECT_EQ(va.packets, packets.size());
  EXPECT_EQ(va.udp, packets.size());
  EXPECT_EQ(va.kernel_drops, 0U);
  EXPECT_EQ(counters.flows, 0U);
  EXPECT_EQ(counters.flows_opened, 201U);
  EXPECT_EQ(counters.flows_closed, 201U);
  EXPECT_EQ(capture_->mode(), "af_packet");
}

TEST_F(AfPacket, RingsShareHostPairsAndEachGetsBothDirections) {
  PacketGroup group;
  group.interface = "va";
  PacketRing::Options options;
  options.share = true;
  std::unique_ptr<PacketRing> rings[2];
  for (auto& ring : rings) {
    auto opened = PacketRing::open(group, options);
    ASSERT_TRUE(opened) << opened.error().message();
    ring = std::move(*opened);
    const auto active = ring->activate();
    ASSERT_TRUE(active && *active);
  }
  constexpr std::size_t kHosts = 40;
  for (std::uint32_t i = 0; i < kHosts; ++i) {
    Packet packet = i % 2 == 0 ? v4(1000, 20) : v6(1000, 20);
    packet.from = i % 2 == 0 ? IpAddress::v4(0x0a000100 + i * 3)
                             : *IpAddress::parse("2001:db8::" + std::to_string(i));
    if (i % 4 > 1) packet.tags = {0x8100};
    send(packet);
    send(answer(packet, 30));
  }
  std::map<std::string, std::size_t> hosts[2];
  std::size_t got = 0;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{20};
  while (got < 2 * kHosts && std::chrono::steady_clock::now() < deadline) {
    for (std::size_t i = 0; i < 2; ++i) {
      rings[i]->read([&](const RingFrame& frame) {
        ParsedPacket parsed{};
        ASSERT_EQ(parse_packet(frame.link_type, frame.data, frame.data + frame.captured,
                               frame.wire_length, &parsed),
                  kParsed);
        const auto client = parsed.source_port == 1000 ? parsed.source : parsed.destination;
        ++hosts[i][IpAddress::v6_bytes(client).to_string()];
        ++got;
      });
    }
  }
  EXPECT_EQ(got, 2 * kHosts);
  EXPECT_EQ(hosts[0].size() + hosts[1].size(), kHosts);  // no host in both
  for (const auto& ring : hosts)
    EXPECT_GT(ring.size(), kHosts / 8);
}

TEST_F(AfPacket, EveryPacketIsInOneCounter) {
  open({"va"});
  Packet tagged = v4(1000, 10);
  tagged.tags = {0x88a8, 0x8100, 0x8100, 0x8100};
  send(tagged);
  tagged.tags.push_back(0x8100);  // one of the five is stripped on the way
  send(tagged);
  Packet other = v4(1000, 10);
  other.tags = {0x0806};  // ARP
  send(other);
  ASSERT_TRUE(wait_until([&] { return packets() >= 3; }));
  const InterfaceCounters va = capture_->counters().interfaces[0];
  EXPECT_EQ(va.udp, 1U);
  EXPECT_EQ(va.unparsable, 1U);
  EXPECT_EQ(va.not_ip, 1U);
  EXPECT_EQ(va.packets, 3U);
}

TEST_F(AfPacket, ReportsAnActivityWhileItsFlowGoesOn) {
  open({"va", "lo"});
  send(v4(1000, 30));
  ASSERT_TRUE(wait_until([&] { return packets() >= 1; }));
  EXPECT_TRUE(seen_.events.empty());
  capture_->report(now() + std::chrono::seconds{3});
  ASSERT_EQ(seen_.events.size(), 1U);
  EXPECT_EQ(seen_.events[0].kind, FlowEventKind::open);
  EXPECT_NEAR(seen_.events[0].time, to_seconds(now()), 20);
  EXPECT_EQ(capture_->counters().flows, 1U);
}

TEST_F(AfPacket, SeesLoopbackPacketsOnce) {
  open({"lo"});
  const Fd receiver(::socket(AF_INET, SOCK_DGRAM, 0)), sender(::socket(AF_INET, SOCK_DGRAM, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(receiver.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::getsockname(receiver.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  const Bytes payload(100);
  for (int i = 0; i < 10; ++i) {
    ASSERT_EQ(::sendto(sender.get(), payload.data(), payload.size(), 0,
                       reinterpret_cast<const sockaddr*>(&address), size),
              100);
  }
  ASSERT_TRUE(wait_until([&] { return packets() >= 10; }));
  capture_->finish(now());
  EXPECT_EQ(packets(), 10U);
  ASSERT_EQ(seen_.events.size(), 1U);
  EXPECT_EQ(seen_.events[0].out, 1000U);
}

TEST_F(AfPacket, GoesOnWhenAnInterfaceComesBack) {
  ASSERT_TRUE(shell("ip link set va down"));
  open({"va"});  // down from the beginning
  std::uint16_t port = 20'000;
  const auto comes = [&] {
    ++port;
    return shell("ip link set va up") && wait_until([&] {
             send(v4(port, 30));
             capture_->report(now() + std::chrono::seconds{3});
             return std::any_of(seen_.events.begin(), seen_.events.end(),
                                [&](const Seen& event) { return event.source_port == port; });
           });
  };
  EXPECT_TRUE(comes());
  ASSERT_TRUE(shell("ip link set va down"));
  EXPECT_TRUE(comes());
  ASSERT_TRUE(shell("ip link del va && ip link add va type veth peer name vb"));
  ASSERT_TRUE(shell("ip link set vb up"));
  EXPECT_TRUE(comes());  // another interface of that name
}

TEST_F(AfPacket, SaysWhichInterfaceIsNotThere) {
  CaptureOptions options;
  options.interfaces = {"nowhere0"};
  const auto opened = open_af_packet(options, seen_);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::not_found);
  EXPECT_THAT(opened.error().message(), testing::HasSubstr("nowhere0"));
}

}  // namespace
}  // namespace beaconry
