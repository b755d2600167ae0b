// The kernel programs on a veth pair in a network namespace of the test's own.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <set>
#include <string>
#include <vector>

#include "capture/capture.h"
#include "capture/test_network.h"
#include "flow/flow_table.h"

namespace beaconry {
namespace {

using namespace test_network;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class EbpfCaptureTest : public LiveCapture, public testing::WithParamInterface<CaptureMode> {
 protected:
  void open(CaptureOptions options) {
    options.interfaces = {"va"};
    auto opened = open_ebpf(options, seen_);
    if (!opened && opened.error().message().find("not permitted") != std::string::npos) {
      GTEST_SKIP() << "needs CAP_BPF: " << opened.error().message();
    }
    ASSERT_TRUE(opened) << opened.error().message();
    capture_ = std::move(*opened);
  }
  InterfaceCounters va() const { return capture_->counters().interfaces.at(0); }
  // Each packet in one counter of the first group, and each of a flow that had room in an event.
  static std::uint64_t accounted(const InterfaceCounters& c) {
    return c.tcp + c.udp + c.icmp + c.other + c.not_ip + c.unparsable + c.later_fragments +
           c.icmp_errors + c.strays + c.not_tracked + c.table_full;
  }
};

class EveryMode : public EbpfCaptureTest {};

TEST_P(EveryMode, gives_the_events_that_the_same_packets_give_from_a_file) {
  std::vector<Packet> packets;
  for (std::uint16_t i = 0; i < 100; ++i) {
    const auto port = static_cast<std::uint16_t>(20'000 + i);
    packets.push_back(i % 2 == 0 ? v4(port, 10U + i) : v6(port, 10U + i));
    if (i % 5 == 0) packets.back().tags = {0x8100};
    if (i % 7 == 0) packets.back().tags = {0x88a8, 0x8100};
    if (i % 11 == 0) packets.back().tags = {0x88a8, 0x8100, 0x8100, 0x8100};
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
  CaptureOptions options;
  options.mode = GetParam();
  ASSERT_NO_FATAL_FAILURE(open(options));
  if (IsSkipped()) return;
  for (const Packet& packet : packets)
    send(packet);
  ASSERT_TRUE(wait_until([&] { return va().packets >= packets.size(); }));
  capture_->finish(now());
  EXPECT_EQ(described(seen_), described(expected));
  EXPECT_EQ(va().packets, packets.size());
  EXPECT_EQ(va().udp, packets.size());
  EXPECT_EQ(va().ring_drops, 0U);
  const auto counters = capture_->counters();
  EXPECT_EQ(counters.flows_opened, 101U);
  EXPECT_EQ(counters.flows_closed, 101U);
  EXPECT_EQ(counters.flows, 0U);
}

INSTANTIATE_TEST_SUITE_P(EbpfCapture, EveryMode,
                         testing::Values(CaptureMode::xdp, CaptureMode::tc,
                                         CaptureMode::xdp_generic),
                         [](const auto& one) {
                           return one.param == CaptureMode::xdp  ? "native_xdp"
                                  : one.param == CaptureMode::tc ? "tc"
                                                                 : "generic_xdp";
                         });

TEST_F(EbpfCaptureTest, jumbo_frames_are_counted_whole) {
  ASSERT_TRUE(shell("ip link set va mtu 9000 && ip link set vb mtu 9000"));
  ASSERT_NO_FATAL_FAILURE(open({}));
  if (IsSkipped()) return;
  EXPECT_EQ(capture_->mode(), "xdp+tc_egress");
  const Packet packet = v4(21000, 8'900);
  send(packet);
  send(answer(packet, 8'800));
  ASSERT_TRUE(wait_until([&] { return va().packets >= 2; }));
  capture_->finish(now());
  EXPECT_THAT(described(seen_), ElementsAre(HasSubstr(" 8900 8800")));
}

TEST_F(EbpfCaptureTest, a_new_flow_a_packet_is_seen_or_counted_as_dropped) {
  CaptureOptions options;
  options.most_flows = 500;
  options.ring_bytes = 4096;
  ASSERT_NO_FATAL_FAILURE(open(options));
  if (IsSkipped()) return;
  constexpr std::uint64_t kSent = 3'000;
  for (std::uint16_t i = 0; i < kSent; ++i)
    send(v4(static_cast<std::uint16_t>(10'000 + i), 20));
  ASSERT_TRUE(wait_until([&] { return va().packets >= kSent; }));
  capture_->finish(now());
  EXPECT_EQ(va().packets, kSent);
  EXPECT_EQ(accounted(va()), kSent);
  EXPECT_EQ(seen_.check_ins().size() + va().table_full, kSent);
  EXPECT_GE(va().table_full, kSent - 600);
}

TEST_F(EbpfCaptureTest, what_is_not_tracked_is_counted_so) {
  CaptureOptions options;
  options.track_udp = false;
  ASSERT_NO_FATAL_FAILURE(open(options));
  if (IsSkipped()) return;
  send(v4(21000, 20));
  ASSERT_TRUE(wait_until([&] { return va().packets >= 1; }));
  EXPECT_EQ(va().not_tracked, 1U);
  EXPECT_EQ(capture_->counters().flows, 0U);
}

TEST_F(EbpfCaptureTest, an_ended_activity_is_reported_while_its_flow_goes_on) {
  CaptureOptions options;
  options.burst_gap = std::chrono::milliseconds{50};
  ASSERT_NO_FATAL_FAILURE(open(options));
  if (IsSkipped()) return;
  send(v4(21000, 30));
  ASSERT_TRUE(wait_until([&] {
    capture_->report(now());
    return !seen_.events.empty();
  }));
  ASSERT_EQ(seen_.events.size(), 1U);
  EXPECT_EQ(seen_.events[0].kind, FlowEventKind::open);
  EXPECT_EQ(seen_.events[0].out, 30U);
  EXPECT_NEAR(seen_.events[0].time, to_seconds(now()), 20);
  EXPECT_EQ(capture_->counters().flows, 1U);
}

TEST_F(EbpfCaptureTest, idle_flows_end_and_make_room) {
  CaptureOptions options;
  options.burst_gap = std::chrono::milliseconds{10};
  options.connection_timeout = std::chrono::milliseconds{20};
  ASSERT_NO_FATAL_FAILURE(open(options));
  if (IsSkipped()) return;
  for (std::uint16_t port = 21000; port < 24000; ++port)
    send(v4(port, 30));
  ASSERT_TRUE(wait_until([&] {
    capture_->report(now());
    return capture_->counters().flows_closed >= 3000;
  }));
  EXPECT_EQ(capture_->counters().flows, 0U);
  std::set<std::uint16_t> closed;
  for (const Seen& event : seen_.events) {
    if (event.kind == FlowEventKind::close) closed.insert(event.source_port);
  }
  EXPECT_EQ(closed.size(), 3000U);
}

TEST_F(EbpfCaptureTest, an_interface_that_comes_back_is_watched_again_and_its_counters_go_on) {
  ASSERT_NO_FATAL_FAILURE(open({}));
  if (IsSkipped()) return;
  send(v4(21000, 30));
  ASSERT_TRUE(wait_until([&] { return va().packets >= 1; }));
  const std::uint64_t before = va().packets;
  ASSERT_TRUE(shell("ip link del va"));
  ASSERT_TRUE(shell("ip link add va type veth peer name vb"));
  ASSERT_TRUE(shell("ip link set va up && ip link set vb up"));
  ASSERT_TRUE(wait_until([&] {
    send(v4(21001, 30));
    return va().packets > before;
  }));
  EXPECT_EQ(va().hooks, "xdp+tc_egress");
}

TEST_F(EbpfCaptureTest, loopback_packets_are_seen_once) {
  CaptureOptions options;
  options.interfaces = {"lo"};
  auto opened = open_ebpf(options, seen_);
  if (!opened) GTEST_SKIP() << opened.error().message();
  capture_ = std::move(*opened);
  const Fd sender(::socket(AF_INET, SOCK_DGRAM, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(9000);
  const Bytes payload(100);
  for (int i = 0; i < 10; ++i) {
    // Nobody listens: every other call gives the error of the one before.
    ::sendto(sender.get(), payload.data(), payload.size(), 0,
             reinterpret_cast<const sockaddr*>(&address), sizeof address);
  }
  ASSERT_TRUE(wait_until([&] { return va().udp >= 5; }));
  const std::uint64_t sent = va().udp;
  EXPECT_LE(sent, 10U);
  capture_->finish(now());
  ASSERT_EQ(seen_.check_ins().size(), 1U);
  EXPECT_EQ(seen_.check_ins()[0].out, 100 * sent);
}

TEST_F(EbpfCaptureTest, an_interface_that_is_not_there_is_an_error_unless_another_is) {
  CaptureOptions options;
  options.interfaces = {"missing"};
  const auto none = open_ebpf(options, seen_);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().kind, ErrorKind::not_found);
  options.interfaces = {"missing", "va"};
  const auto one = open_ebpf(options, seen_);
  ASSERT_TRUE(one) << one.error().message();
  EXPECT_EQ((*one)->mode(), "xdp+tc_egress");
}

}  // namespace
}  // namespace beaconry
