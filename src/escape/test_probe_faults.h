#pragma once
#include <gtest/gtest.h>

#include <optional>
#include <set>

#include "escape/probe.h"
#include "escape/test_link.h"

// For tests of what the whole probe does when something goes wrong: one static address, one
// gateway, one method, one port a minute, and a clock that can be made to jump.
namespace beaconry::test {

inline IpAddress at(std::string_view text) {
  return *IpAddress::parse(text);
}

class LateEvidence : public TestEvidence {
 public:
  Timestamp last_time() const override { return latest; }
  Timestamp latest{};
};

class SmallProbe : public testing::Test {
 protected:
  SmallProbe() {
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
    config.short_period = std::chrono::minutes{1};
    config.long_cycle = false;
    for (const Method* method : methods_table())
      if (method->id != MethodId::udp_port) config.forbidden_methods.push_back(method->id);
    link.peer = [this](const Frame& frame, ByteView) {
      if (frame.kind == Frame::Kind::arp && present.contains(frame.arp.target) &&
          !frame.arp.sender.is_unspecified()) {
        MacAddress mac{{2, 0, 0, 0, 0, 0}};
        mac.bytes[5] = frame.arp.target.bytes()[15];
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
  std::set<IpAddress> present{at("10.0.1.1")};  // who answers ARP
  std::optional<PartyKeys> home_keys;
  TestLink link;
  LateEvidence evidence;
  Duration jumped{};
  std::vector<std::string> lines;
};

}  // namespace beaconry::test
