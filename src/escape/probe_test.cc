#include <gtest/gtest.h>

#include <set>
#include <string>

#include "escape/test_probe.h"

namespace beaconry {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using test::at;
using test::kGatewayMac;
using test::kHostMac;
using test::ProbeTest;
using test::seed_of;

TEST_F(ProbeTest, AGatewayThatIsSilentMakesTriesThatWereNotMade) {
  be_static();
  gateway_answers = false;
  only({MethodId::udp_port});
  run(minutes{5}, true);
  EXPECT_TRUE(ended_early);
  EXPECT_EQ(evidence.count("tried"), 0U);
  EXPECT_EQ(said("skip udp-port the next hop 10.0.1.1 does not answer"), 1U) << all_lines();
  const auto asked = std::count_if(link.sent.begin(), link.sent.end(), [&](const auto& sent) {
    const auto frame = read_frame(sent.frame);
    return frame->kind == Frame::Kind::arp && frame->arp.target == gateway;
  });
  EXPECT_EQ(asked, 3);
}

TEST_F(ProbeTest, HomesAnswerIsConfirmedByTheSameMethod) {
  be_static();
  home_answers = true;
  only({MethodId::udp_port});
  run(minutes{5}, true);
  EXPECT_EQ(said("reply udp-port 203.0.113.10:53 seq=42"), 1U) << all_lines();
  EXPECT_EQ(evidence.count("answered udp-port"), 2U);
  ASSERT_EQ(pings.size(), 4U);
  EXPECT_EQ(std::count_if(pings.begin(), pings.end(),
                          [](const Ping& ping) { return ping.leg == Leg::confirmed; }),
            2);
  EXPECT_EQ(evidence.count("tried udp-port"), 2U);
  ASSERT_FALSE(probe->results().empty());
  for (const auto& result : probe->results()) {
    if (result.method == MethodId::udp_port) {
      EXPECT_EQ(result.tried, 2U);
      EXPECT_EQ(result.answered, 2U);
    }
  }
}

TEST_F(ProbeTest, AnAnswerCountsOnceAndAReflectedPingNever) {
  be_static();
  only({MethodId::udp_port});
  const Bytes echo = [&] {
    Ping ping;
    ping.leg = Leg::outbound;
    ping.method = MethodId::udp_port;
    ping.probe = PartyKeys(config.seed).id();
    ping.sequence = 42;
    return seal(ping, home_key);
  }();
  bool done = false;
  link.turn = [&] {
    if (pings.empty() || done) return;
    done = true;
    for (const Bytes& bytes : {echo, reply_to(pings[0]), reply_to(pings[0])}) {
      link.deliver(
          ethernet(link.facts().mac, kGatewayMac, kEtherIpv4,
                   ip(home, at("10.0.1.9"), kProtocolUdp, udp(home, at("10.0.1.9"), 1, 2, bytes))));
    }
  };
  run(minutes{5}, true);
  EXPECT_EQ(said("reply "), 1U) << all_lines();
}

TEST_F(ProbeTest, TcpSpeaksWithHomeInTwoDirections) {
  be_static();
  tcp_home = true;
  config.ports = {443};
  only({MethodId::tcp_connect});
  run(minutes{5}, true);
  EXPECT_EQ(said("reply tcp-connect 203.0.113.10:443"), 1U) << all_lines();
  ASSERT_EQ(pings.size(), 2U);
  EXPECT_EQ(pings[1].leg, Leg::confirmed);
  EXPECT_EQ(pings[1].sequence, pings[0].sequence);
}

TEST_F(ProbeTest, AnswersForItsOwnAddressesAlone) {
  be_static();
  only({});
  int asked = 0;
  link.turn = [&] {
    if (probe == nullptr || asked > 0 || said("address 10.0.1.9") == 0) return;
    ++asked;
    for (const char* target : {"10.0.1.9", "10.0.1.10"}) {
      link.deliver(ethernet(MacAddress::broadcast(), kGatewayMac, kEtherArp,
                            arp(1, kGatewayMac, gateway, {}, at(target))));
      link.deliver(
          ethernet(link.facts().mac, kGatewayMac, kEtherIpv4,
                   ip(gateway, at(target), kProtocolIcmp, icmp(8, 0, 0x00010002, Bytes(8, 'e')))));
    }
  };
  run(minutes{1});
  int arps = 0, echoes = 0;
  for (const auto& sent : link.sent) {
    const auto frame = read_frame(sent.frame);
    if (frame->kind == Frame::Kind::arp && frame->arp.operation == 2) {
      ++arps;
      EXPECT_EQ(frame->arp.sender, at("10.0.1.9"));
      EXPECT_EQ(frame->destination, kGatewayMac);
    }
    if (frame->kind == Frame::Kind::ip && frame->protocol == kProtocolIcmp) {
      ++echoes;
      EXPECT_EQ(frame->icmp_type, 0);
      EXPECT_EQ(frame->ip_source, at("10.0.1.9"));
    }
  }
  EXPECT_EQ(arps, 1);
  EXPECT_EQ(echoes, 1);
}

TEST_F(ProbeTest, AnHourKeepsToTheBudget) {
  be_static();
  home_answers = true;
  config.packets_a_second = 1;
  config.bytes_a_second = 300;
  config.broadcasts_a_minute = 6;
  config.short_period = minutes{20};
  config.ports = {};
  config.long_cycle = true;
  run(minutes{60});
  EXPECT_GE(said("cycle short"), 2U);
  EXPECT_GT(link.sent.size(), 1500U) << "the budget is used";
  for (std::size_t from = 0; from < link.sent.size(); ++from) {
    std::size_t frames = 0, bytes = 0, broadcasts = 0;
    for (std::size_t i = from;
         i < link.sent.size() && link.sent[i].when < link.sent[from].when + minutes{1}; ++i) {
      ++frames;
      bytes += link.sent[i].frame.size();
      broadcasts += (link.sent[i].frame[0] & 1) != 0 ? 1 : 0;
    }
    ASSERT_LE(frames, 61U);
    ASSERT_LE(bytes, 60U * 300U + 1518U);
    ASSERT_LE(broadcasts, 6U);
  }
  // Nothing that was taken from the plan got lost on the way.
  EXPECT_EQ(said("too many"), 0U);
}

TEST_F(ProbeTest, WithoutAnAddressOnlyTheProfileLabSpeaksFromOneThatItHeard) {
  for (const Profile profile : {Profile::ot, Profile::office, Profile::lab}) {
    config.profile = profile;
    config.neighbours = {gateway};
    config.forbidden_methods.clear();
    only({MethodId::neighbour_gateway});
    link.sent.clear();
    pings.clear();
    for (const auto& [mac, address] :
         {std::pair(kGatewayMac, gateway), std::pair(kHostMac, host_address)}) {
      link.deliver(ethernet(MacAddress::broadcast(), mac, kEtherArp,
                            arp(1, mac, address, {}, at("10.0.1.60"))));
    }
    run(minutes{5}, true);
    const bool lab = profile == Profile::lab;
    EXPECT_EQ(!pings.empty(), lab) << all_lines();
    for (const auto& sent : link.sent) {
      const auto frame = read_frame(sent.frame);
      EXPECT_TRUE(frame->kind != Frame::Kind::arp || frame->arp.sender.is_unspecified())
          << "nobody's table is spoilt";
    }
  }
}

TEST_F(ProbeTest, WithoutBroadcastsItUsesWhatItHears) {
  be_static();
  only({MethodId::udp_port});
  config.broadcasts_a_minute = 0;
  link.deliver(ethernet(MacAddress::broadcast(), kGatewayMac, kEtherArp,
                        arp(1, kGatewayMac, gateway, {}, host_address)));
  run(minutes{5}, true);
  EXPECT_EQ(pings.size(), 2U) << all_lines();
  for (const auto& sent : link.sent)
    EXPECT_EQ(sent.frame[0] & 1, 0);
}

TEST_F(ProbeTest, AfterItsEndDateNothingLeaves) {
  be_static();
  only({MethodId::udp_port});
  config.end = link.now + seconds{60};
  Timestamp next = link.now;
  link.turn = [&] {
    if (link.now < next) return;
    next = link.now + seconds{1};
    link.deliver(ethernet(MacAddress::broadcast(), kGatewayMac, kEtherArp,
                          arp(1, kGatewayMac, gateway, {}, at("10.0.1.9"))));
  };
  run(minutes{10});
  ASSERT_FALSE(link.sent.empty());
  EXPECT_LT(link.sent.back().when, *config.end);
  EXPECT_EQ(said("silent the end date"), 1U) << all_lines();
  EXPECT_NE(lines.back().find("silent"), std::string::npos);
}

TEST_F(ProbeTest, AProbeThatBeginsAfterItsEndDateNeverSpeaks) {
  be_static();
  config.end = link.now - seconds{1};
  run(minutes{10});
  EXPECT_TRUE(link.sent.empty());
  ASSERT_EQ(lines.size(), 1U);
}

TEST_F(ProbeTest, HearsAnotherProbesPing) {
  be_static();
  only({});
  config.listen = true;
  const PartyKeys other(seed_of(3));
  Peer peer;
  peer.name = "zone-b";
  peer.address = at("10.0.2.9");
  peer.key = other.box_public();
  config.peers = {peer};
  Ping ping;
  ping.method = MethodId::zone;
  ping.probe = other.id();
  ping.sequence = 7;
  ping.sent = link.now;
  ping.destination = at("10.0.1.9");
  const Bytes sealed =
      seal(ping, SharedKey::make(other, PartyKeys(config.seed).box_public()).value());
  int sent = 0;
  link.turn = [&] {
    if (sent > 1 || said("address 10.0.1.9") == 0) return;
    ++sent;
    link.deliver(ethernet(link.facts().mac, kGatewayMac, kEtherIpv4,
                          ip(peer.address, at("10.0.1.9"), kProtocolUdp,
                             udp(peer.address, at("10.0.1.9"), 1, 2, sealed))));
  };
  run(minutes{1});
  EXPECT_EQ(said("heard zone-b zone from 10.0.2.9 seq=7"), 1U) << all_lines();
  EXPECT_EQ(evidence.count("heard zone-b 7"), 1U);
}

TEST_F(ProbeTest, AListedNeighbourIsAskedForBeforeTheFirstCycle) {
  be_static();
  config.neighbours = {host_address};
  only({MethodId::neighbour_gateway});
  run(minutes{5}, true);
  EXPECT_EQ(probe->segment().mac_of(host_address), kHostMac);
  EXPECT_GT(said("try neighbour-gateway 203.0.113.10"), 0U) << all_lines();
  EXPECT_GT(said("via=10.0.1.50"), 0U);
}

TEST_F(ProbeTest, ASmallNetworkIsSweptFirstWhereTheProfileAllowsIt) {
  be_static();
  config.profile = Profile::office;
  only({MethodId::neighbour_gateway});
  run(minutes{10}, true);
  EXPECT_EQ(probe->segment().mac_of(host_address), kHostMac) << all_lines();
  EXPECT_GT(said("via=10.0.1.50"), 0U) << all_lines();
}

TEST_F(ProbeTest, AFloodOfQuestionsDoesNotStopTheTries) {
  be_static();
  only({MethodId::udp_port});
  config.packets_a_second = 5;
  Timestamp next = link.now;
  link.turn = [&] {  // a hundred times what the budget could answer
    if (link.now < next) return;
    next = link.now + milliseconds{10};
    for (int i = 0; i < 5; ++i) {
      link.deliver(ethernet(MacAddress::broadcast(), kGatewayMac, kEtherArp,
                            arp(1, kGatewayMac, gateway, {}, at("10.0.1.9"))));
    }
  };
  run(minutes{2}, true);
  EXPECT_TRUE(ended_early);
  EXPECT_EQ(pings.size(), 2U) << all_lines();
}

}  // namespace
}  // namespace beaconry
