// The packet link on a veth pair in a network namespace of the test's own; the capture link.
#include "escape/link.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

namespace beaconry {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Timestamp kNow{seconds{1'795'000'000}};

Bytes frame_to(const MacAddress& to, const MacAddress& from, std::string_view words) {
  return ethernet(to, from, 0x88b5, Bytes(words.begin(), words.end()));  // for experiments
}

// Frames of these tests, past what the kernel itself sends on a new link.
std::optional<Bytes> next_of_ours(Link& link) {
  for (int i = 0; i < 200; ++i) {
    const auto frame = link.receive(milliseconds{50});
    if (!frame) return std::nullopt;
    if (!*frame) continue;
    const Bytes bytes((*frame)->begin(), (*frame)->end());
    if (bytes.size() > 14 && (bytes[12] == 0x88 || bytes[12] == 0x81)) return bytes;
  }
  return std::nullopt;
}

class PacketLinkTest : public testing::Test {
 protected:
  // In a thread of its own: the namespace ends with it.
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root for a network namespace";
    std::thread([this] {
      ready_ = ::unshare(CLONE_NEWNET) == 0 &&
               std::system(
                   "ip link add ea type veth peer name eb 2>/dev/null && "
                   "ip link set ea up && ip link set eb up && "
                   "ip addr add 10.9.0.2/24 dev ea && "
                   "ip route add default via 10.9.0.1 dev ea") == 0;
      if (ready_) body();
    }).join();
    if (!ready_) GTEST_SKIP() << "needs network namespaces and ip";
  }
  virtual void body() = 0;
  bool ready_ = false;
};

class BothWays : public PacketLinkTest {
  void body() override {
    auto a = open_packet_link("ea"), b = open_packet_link("eb");
    ASSERT_TRUE(a) << a.error().message();
    ASSERT_TRUE(b) << b.error().message();
    const InterfaceFacts& facts = (*a)->facts();
    EXPECT_TRUE(facts.up);
    EXPECT_EQ(facts.mtu, 1500U);
    EXPECT_FALSE(facts.mac.is_group());
    ASSERT_FALSE(facts.kernel_addresses.empty());
    EXPECT_EQ(facts.kernel_addresses[0].to_string(), "10.9.0.2");
    EXPECT_EQ(facts.kernel_prefixes[0], 24U);
    ASSERT_EQ(facts.kernel_gateways.size(), 1U);
    EXPECT_EQ(facts.kernel_gateways[0].to_string(), "10.9.0.1");

    const MacAddress group{{0x33, 0x33, 0xff, 1, 2, 3}};
    for (const MacAddress& to : {(*b)->facts().mac, MacAddress::broadcast(), group}) {
      const Bytes sent = frame_to(to, facts.mac, "to whom it may concern, and padded well enough");
      ASSERT_TRUE((*a)->send(sent, kNow));
      EXPECT_EQ(next_of_ours(**b), sent);
    }
    // None of the three came back to who sent them.
    const Bytes back =
        frame_to(facts.mac, (*b)->facts().mac, "back, padded well enough as well, eh");
    ASSERT_TRUE((*b)->send(back, kNow));
    EXPECT_EQ(next_of_ours(**a), back);

    const auto tagged = ethernet(facts.mac, (*b)->facts().mac, kEtherVlan, Bytes(50, 7));
    ASSERT_TRUE((*b)->send(tagged, kNow));
    EXPECT_EQ(next_of_ours(**a), tagged) << "a tag stands in its place again";
    EXPECT_EQ((*a)->drops(), 0U);
  }
};
TEST_F(BothWays, FramesPassWholeAndOurOwnAreNotHeard) {}

class ComesBack : public PacketLinkTest {
  void body() override {
    auto a = open_packet_link("ea");
    ASSERT_TRUE(a);
    ASSERT_EQ(std::system("ip link del ea"), 0);
    const Bytes frame = frame_to(MacAddress::broadcast(), (*a)->facts().mac, "into nothing");
    EXPECT_FALSE((*a)->send(frame, kNow));
    for (int i = 0; i < 5; ++i) {
      const auto heard = (*a)->receive(milliseconds{5});
      ASSERT_TRUE(heard) << heard.error().message();
    }
    const std::string again = "ip link add ea address " + (*a)->facts().mac.to_string() +
                              " type veth peer name eb && ip link set ea up && ip link set eb up";
    ASSERT_EQ(std::system(again.c_str()), 0);
    bool sent = false;
    for (int i = 0; i < 200 && !sent; ++i) {
      const auto heard = (*a)->receive(milliseconds{10});
      ASSERT_TRUE(heard) << heard.error().message();
      sent = (*a)->send(frame, kNow).has_value();
    }
    EXPECT_TRUE(sent);
    // With another MAC every frame would be spoofed.
    ASSERT_EQ(
        std::system("ip link del ea && ip link add ea address 02:00:00:00:00:77 type veth peer "
                    "name eb && ip link set ea up"),
        0);
    bool ended = false;
    for (int i = 0; i < 200 && !ended; ++i) {
      (void)(*a)->send(frame, kNow);  // the probe learns of it as it sends
      ended = !(*a)->receive(milliseconds{10});
    }
    EXPECT_TRUE(ended);
  }
};
TEST_F(ComesBack, AnInterfaceThatWentAwayIsUsedAgain) {}

TEST(PacketLink, SaysWhatIsWrongWithAnInterface) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root for a packet socket";
  const auto none = open_packet_link("nosuchlink0");
  ASSERT_FALSE(none);
  EXPECT_NE(none.error().message().find("no such interface"), std::string::npos);
  const auto loopback = open_packet_link("lo");
  ASSERT_FALSE(loopback);
  EXPECT_NE(loopback.error().message().find("no Ethernet"), std::string::npos);
}

TEST(CaptureLink, WritesFramesWithTheirTimes) {
  const auto path =
      std::filesystem::temp_directory_path() / ("beaconry-link-" + std::to_string(::getpid()));
  InterfaceFacts facts;
  facts.mac = {{2, 0, 0, 0, 0, 9}};
  milliseconds waited{0};
  auto link = open_capture_link(path, facts, [&](milliseconds wait) { waited += wait; });
  ASSERT_TRUE(link) << link.error().message();
  const Bytes frame = frame_to(MacAddress::broadcast(), facts.mac, "hello");
  ASSERT_TRUE((*link)->send(frame, kNow + milliseconds{1500}));
  const auto heard = (*link)->receive(milliseconds{70});
  ASSERT_TRUE(heard);
  EXPECT_FALSE(*heard);
  EXPECT_EQ(waited, milliseconds{70});
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  std::filesystem::remove(path);
  ASSERT_EQ(bytes.size(), 24 + 16 + frame.size());
  std::uint32_t record[4];
  std::memcpy(record, bytes.data() + 24, sizeof record);
  EXPECT_EQ(record[0], 1'795'000'001U);
  EXPECT_EQ(record[1], 500'000U);
  EXPECT_EQ(record[2], frame.size());
  EXPECT_EQ(bytes.substr(40), std::string(frame.begin(), frame.end()));
}

TEST(CaptureLink, AnUnwritablePathIsAnError) {
  EXPECT_FALSE(open_capture_link("/nonexistent/dry.pcap", {}));
}

}  // namespace
}  // namespace beaconry
