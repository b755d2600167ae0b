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
#include "flow/flow_table.h"
#include "flow/test_traffic.h"
#include "packet/parse.h"
#include "packet/test_messages.h"

namespace beaconry {
namespace {

using test_messages::Bytes;
using test_traffic::Recorder;
using test_traffic::Seen;

Timestamp now() {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

void append16(Bytes& bytes, unsigned value) {
  bytes.push_back(static_cast<std::uint8_t>(value >> 8));
  bytes.push_back(static_cast<std::uint8_t>(value));
}

struct Packet {
  IpAddress from, to;
  std::uint16_t from_port = 0, to_port = 0;
  Bytes payload;
  std::vector<std::uint16_t> tags;  // VLAN protocols, outermost first
  bool out = false;                 // leaves by the captured interface, else comes in
};

// A UDP frame.
Bytes frame_of(const Packet& packet) {
  Bytes frame{2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 8};
  for (const std::uint16_t tag : packet.tags) {
    append16(frame, tag);
    append16(frame, 7);
  }
  const auto append = [&](const IpAddress& address) {
    const auto& bytes = address.bytes();
    frame.insert(frame.end(), bytes.begin() + (address.is_v4() ? 12 : 0), bytes.end());
  };
  const auto length = static_cast<unsigned>(packet.payload.size() + 8);
  if (packet.from.is_v4()) {
    append16(frame, 0x0800);
    frame.insert(frame.end(), {0x45, 0});
    append16(frame, length + 20);
    frame.insert(frame.end(), {0, 0, 0, 0, 64, kProtocolUdp, 0, 0});
  } else {
    append16(frame, 0x86dd);
    frame.insert(frame.end(), {0x60, 0, 0, 0});
    append16(frame, length);
    frame.insert(frame.end(), {kProtocolUdp, 64});
  }
  append(packet.from);
  append(packet.to);
  append16(frame, packet.from_port);
  append16(frame, packet.to_port);
  append16(frame, length);
  append16(frame, 0);
  frame.insert(frame.end(), packet.payload.begin(), packet.payload.end());
  return frame;
}

std::vector<std::string> described(const Recorder& seen) {
  std::vector<std::string> all;
  for (const Seen& event : seen.check_ins()) {
    all.push_back(event.pair + ' ' + std::to_string(event.source_port) + ' ' + event.name + ' ' +
                  std::to_string(event.out) + ' ' + std::to_string(event.in));
  }
  std::sort(all.begin(), all.end());
  return all;
}

class AfPacket : public testing::Test {
 protected:
  void SetUp() override {
    if (::unshare(CLONE_NEWNET) != 0 && ::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) {
      GTEST_SKIP() << "no network namespace can be made here: needs root or user namespaces";
    }
    if (!shell("ip link add va type veth peer name vb")) {
      GTEST_SKIP() << "no veth pair can be made here";
    }
    for (const char* name : {"all", "default", "va", "vb"}) {
      std::ofstream("/proc/sys/net/ipv6/conf/" + std::string(name) + "/disable_ipv6") << 1;
    }
    ASSERT_TRUE(shell("ip link set lo up"));
    ASSERT_TRUE(shell("ip link set va up"));
    ASSERT_TRUE(shell("ip link set vb up"));
  }

  static bool shell(const std::string& command) {
    return std::system((command + " 2>/dev/null").c_str()) == 0;
  }

  void open(const std::vector<std::string>& interfaces) {
    CaptureOptions options;
    options.interfaces = interfaces;
    auto opened = open_af_packet(options, seen_);
    ASSERT_TRUE(opened) << opened.error().message();
    capture_ = std::move(*opened);
  }

  void send(const Packet& packet) {
    const Bytes frame = frame_of(packet);
    if (!sender_) sender_ = Fd(::socket(AF_PACKET, SOCK_RAW, 0));
    ASSERT_TRUE(sender_);
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_ifindex = static_cast<int>(::if_nametoindex(packet.out ? "va" : "vb"));
    ASSERT_EQ(::sendto(sender_.get(), frame.data(), frame.size(), 0,
                       reinterpret_cast<const sockaddr*>(&address), sizeof address),
              static_cast<ssize_t>(frame.size()))
        << std::strerror(errno);
  }

  bool wait_until(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      capture_->drain(now());
      std::this_thread::sleep_for(std::chrono::milliseconds{10});
    }
    return true;
  }
  std::uint64_t packets() const {
    std::uint64_t sum = 0;
    for (const auto& one : capture_->counters().interfaces)
      sum += one.packets;
    return sum;
  }

  Fd sender_;
  Recorder seen_;
  std::unique_ptr<Capture> capture_;
};

Packet v4(std::uint16_t port, std::size_t size) {
  return {*IpAddress::parse("10.0.0.5"),
          *IpAddress::parse("203.0.113.9"),
          port,
          9000,
          Bytes(size),
          {},
          false};
}

Packet v6(std::uint16_t port, std::size_t size) {
  return {*IpAddress::parse("2001:db8::5"),
          *IpAddress::parse("2001:db8:1::9"),
          port,
          9000,
          Bytes(size),
          {},
          false};
}

Packet answer(Packet packet, std::size_t size) {
  std::swap(packet.from, packet.to);
  std::swap(packet.from_port, packet.to_port);
  packet.payload.resize(size);
  packet.out = !packet.out;
  return packet;
}

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
