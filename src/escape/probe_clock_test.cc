// What a probe does when the machine's clock jumps.
#include <gtest/gtest.h>

#include "escape/probe.h"
#include "escape/test_link.h"

namespace beaconry {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using test::TestEvidence;
using test::TestLink;

IpAddress at(std::string_view text) {
  return *IpAddress::parse(text);
}

class LateEvidence : public TestEvidence {
 public:
  Timestamp last_time() const override { return latest; }
  Timestamp latest{};
};

class ProbeClock : public testing::Test {
 protected:
  ProbeClock() {
    Key32 seed{};
    seed[0] = 1;
    config.seed = seed;
    seed[0] = 2;
    home_keys.emplace(seed);
    config.home.key = home_keys->box_public();
    config.home.addresses = {at("203.0.113.10")};
    config.addresses = {*Cidr::parse("10.0.1.9/24")};
    config.own_hosts = {at("10.0.1.9")};
    config.gateways = {at("10.0.1.1")};
    config.packets_a_second = 10;
    config.bytes_a_second = 1e6;
    config.broadcasts_a_minute = 60;
    config.ports = {443};
    config.short_period = minutes{1};
    config.long_cycle = false;
    for (const Method* method : methods_table())
      if (method->id != MethodId::udp_port) config.forbidden_methods.push_back(method->id);
    link.peer = [this](const Frame& frame, ByteView) {
      if (frame.kind == Frame::Kind::arp && frame.arp.target == at("10.0.1.1") &&
          !frame.arp.sender.is_unspecified()) {
        const MacAddress mac{{2, 0, 0, 0, 0, 1}};
        link.deliver(
            ethernet(frame.source, mac, kEtherArp,
                     arp(2, mac, frame.arp.target, frame.arp.sender_mac, frame.arp.sender)));
      }
    };
  }

  void run(Duration time) {
    Probe::Options options;
    options.config = config;
    options.clock = [this] { return link.now + jumped; };
    options.elapsed = [this] { return link.now.time_since_epoch(); };
    options.say = [this](const std::string& line) { lines.push_back(line); };
    const Timestamp end = link.now + time;
    options.stopping = [this, end] { return link.now >= end; };
    auto probe = Probe::make(std::move(options), link, evidence);
    ASSERT_TRUE(probe) << probe.error().message();
    EXPECT_TRUE((*probe)->run());
  }

  ProbeConfig config;
  std::optional<PartyKeys> home_keys;
  TestLink link;
  LateEvidence evidence;
  Duration jumped{};
  std::vector<std::string> lines;
};

TEST_F(ProbeClock, SetBackItDoesNotStopTheTries) {
  bool done = false;
  const Timestamp begun = link.now;
  link.turn = [&] {
    if (done || link.now < begun + minutes{5}) return;
    done = true;
    jumped = -hours{24};
  };
  run(minutes{20});
  EXPECT_GE(evidence.count("tried"), 18U);
  ASSERT_FALSE(lines.empty());
  EXPECT_LT(lines.back().substr(0, 19), to_rfc3339(begun).substr(0, 19)) << "but lines bear it";
}

TEST_F(ProbeClock, SetBackBehindTheEndDateItStaysSilent) {
  config.end = link.now + minutes{3};
  link.turn = [&] {
    if (link.now >= *config.end + minutes{1}) jumped = -hours{1};
  };
  run(minutes{30});
  ASSERT_FALSE(link.sent.empty());
  EXPECT_LT(link.sent.back().when, *config.end);
}

TEST_F(ProbeClock, SetBackBeforeTheEndDateThatDateStillComes) {
  config.end = link.now + minutes{5};
  link.turn = [&] { jumped = -hours{1}; };
  run(minutes{30});
  ASSERT_FALSE(link.sent.empty());
  EXPECT_LT(link.sent.back().when, *config.end + seconds{1});
}

TEST_F(ProbeClock, ARestartBehindTheRecordsTimeKeepsToTheEndDate) {
  config.end = link.now + minutes{5};
  evidence.latest = *config.end;
  run(minutes{4});
  EXPECT_TRUE(link.sent.empty());
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_NE(lines[0].find("silent"), std::string::npos);
}

}  // namespace
}  // namespace beaconry
