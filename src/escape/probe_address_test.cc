#include <gtest/gtest.h>

#include <set>
#include <string>

#include "escape/test_probe.h"

// How a probe comes by its address.
namespace beaconry {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using test::at;
using test::kGatewayMac;
using test::kHostMac;
using test::ProbeTest;

TEST_F(ProbeTest, AShortCycleIsTriedFromAStaticAddressAndEndsByItself) {
  be_static();
  only({MethodId::udp_port});
  run(minutes{10}, true);
  EXPECT_TRUE(ended_early) << all_lines();
  ASSERT_EQ(pings.size(), 2U) << all_lines();
  EXPECT_EQ(pings[0].sequence, 42U);
  EXPECT_EQ(pings[0].port, 53);
  EXPECT_EQ(pings[1].sequence, 43U);
  EXPECT_EQ(pings[0].cycle, 3U);
  EXPECT_EQ(said("address 10.0.1.9/24 as configured"), 1U);
  EXPECT_EQ(said("cycle short 3 begins"), 1U);
  EXPECT_EQ(said("try udp-port 203.0.113.10:53 seq=42"), 1U) << all_lines();
  EXPECT_EQ(said("cycle short 3 ends"), 1U);
  EXPECT_GT(said("skip tcp-connect the configuration forbids the method"), 0U);
  EXPECT_EQ(evidence.count("tried udp-port"), 2U);
  EXPECT_EQ(evidence.count("completed 3"), 1U);
  EXPECT_GT(evidence.seals, 0);
  // "2026-11-18T…Z try": a time in seconds, then words
  EXPECT_EQ(lines[0][19], 'Z');
}

TEST_F(ProbeTest, AnAddressIsAskedForBeforeItIsUsed) {
  be_static();
  only({MethodId::udp_port});
  run(minutes{1}, true);
  int probes = 0;
  bool used = false;
  for (const auto& sent : link.sent) {
    const auto frame = read_frame(sent.frame);
    if (frame->kind == Frame::Kind::arp && frame->arp.sender.is_unspecified()) {
      EXPECT_FALSE(used);
      EXPECT_EQ(frame->arp.target, at("10.0.1.9"));
      ++probes;
    } else {
      used = true;
    }
  }
  EXPECT_EQ(probes, 3);
}

TEST_F(ProbeTest, AnAddressThatAnotherHostHasIsNotUsed) {
  be_static();
  only({MethodId::udp_port});
  host_address = at("10.0.1.9");
  run(minutes{1}, true);
  EXPECT_EQ(said("address 10.0.1.9 given up: 02:00:00:00:00:50 has it"), 1U) << all_lines();
  EXPECT_TRUE(pings.empty());
  for (const auto& sent : link.sent) {
    const auto frame = read_frame(sent.frame);
    EXPECT_NE(frame->ip_source, at("10.0.1.9"));
    EXPECT_NE(frame->arp.sender, at("10.0.1.9"));
  }
}

TEST_F(ProbeTest, AnAddressInUseIsGivenUpWhenAnotherHostClaimsIt) {
  be_static();
  only({MethodId::udp_port});
  bool claimed = false;
  link.turn = [&] {
    if (pings.empty() || claimed) return;
    claimed = true;
    link.deliver(ethernet(MacAddress::broadcast(), kHostMac, kEtherArp,
                          arp(1, kHostMac, at("10.0.1.9"), {}, at("10.0.1.9"))));
  };
  run(minutes{2});
  EXPECT_EQ(said("address 10.0.1.9 given up"), 1U) << all_lines();
  EXPECT_TRUE(probe->segment().own().empty());
}

TEST_F(ProbeTest, GetsALeaseByItsOwnClientIdAndRenewsIt) {
  dhcp_server = true;
  only({MethodId::udp_port});
  run(minutes{12});
  EXPECT_EQ(said("address 10.0.1.77/24 by DHCP"), 1U) << all_lines();
  ASSERT_GE(dhcp_types.size(), 4U);  // and every 300 s
  EXPECT_EQ(dhcp_types[0], 1);
  EXPECT_EQ(dhcp_types[1], 3);
  EXPECT_EQ(dhcp_types[2], 3);
  EXPECT_EQ(std::string(client_id.begin() + 1, client_id.end()),
            "beaconry-" + PartyKeys(config.seed).id().to_string());
  EXPECT_EQ(probe->segment().gateways(), std::vector<IpAddress>{gateway});
  EXPECT_EQ(probe->segment().resolvers(), std::vector<IpAddress>{at("10.0.1.53")});
  EXPECT_FALSE(pings.empty());
  EXPECT_EQ(said("given up"), 0U);
}

TEST_F(ProbeTest, ALeaseOfATakenAddressIsDeclined) {
  dhcp_server = true;
  only({MethodId::udp_port});
  host_address = at("10.0.1.77");
  run(minutes{1});
  EXPECT_NE(std::find(dhcp_types.begin(), dhcp_types.end(), 4), dhcp_types.end());
  EXPECT_TRUE(pings.empty());
}

TEST_F(ProbeTest, ALeaseOfTheKernelsAddressIsMarked) {
  dhcp_server = true;
  only({MethodId::udp_port, MethodId::tcp_connect});
  link.change_facts().kernel_addresses = {at("10.0.1.77")};
  run(minutes{2}, true);
  EXPECT_EQ(said("is the kernel's"), 1U) << all_lines();
  EXPECT_GT(said("skip tcp-connect"), 0U) << all_lines();
  EXPECT_EQ(pings.size(), 2U);
}

TEST_F(ProbeTest, WithoutAnythingElseTheKernelsAddressServes) {
  only({MethodId::udp_port, MethodId::tcp_connect});
  auto& facts = link.change_facts();
  facts.kernel_addresses = {at("10.0.1.8")};
  facts.kernel_prefixes = {24};
  facts.kernel_gateways = {gateway};
  run(minutes{5}, true);
  EXPECT_EQ(pings.size(), 2U) << all_lines();
  EXPECT_GT(said("skip tcp-connect"), 0U) << all_lines();
}

TEST_F(ProbeTest, ARouterAdvertisementGivesARandomAddress) {
  config.home.addresses = {at("2001:db8:ffff::10")};
  config.dhcp = false;
  only({MethodId::udp_port});
  const IpAddress router = at("fe80::1"), all = at("ff02::1");
  link.peer = [&](const Frame& frame, ByteView) {
    if (frame.icmp_type != kRouterSolicitation || frame.protocol != kProtocolIcmpv6) return;
    Bytes body(8, 0);
    body.insert(body.end(), {1, 1, 2, 0, 0, 0, 0, 1});
    body.insert(body.end(), {3, 4, 64, 0xc0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0});
    const auto prefix = at("2001:db8:1::").bytes();
    body.insert(body.end(), prefix.begin(), prefix.end());
    link.deliver(ethernet(
        {{0x33, 0x33, 0, 0, 0, 1}}, kGatewayMac, kEtherIpv6,
        ip(router, all, kProtocolIcmpv6, icmpv6(router, all, 134, 0, 0x40000708, body), 255)));
  };
  run(minutes{5}, true);
  ASSERT_EQ(probe->segment().own().size(), 1U) << all_lines();
  const IpAddress own = probe->segment().own()[0].address;
  EXPECT_EQ(own.masked(64), at("2001:db8:1::"));
  EXPECT_EQ(said("by router advertisement"), 1U);
  EXPECT_EQ(said("try udp-port [2001:db8:ffff::10]:53"), 1U) << all_lines();
  // RFC 4862: asked for from no address
  EXPECT_TRUE(std::any_of(link.sent.begin(), link.sent.end(), [&](const auto& sent) {
    const auto frame = read_frame(sent.frame);
    const auto message = read_neighbour_message(*frame);
    return message && message->target == own && frame->ip_source.is_unspecified();
  }));
}

}  // namespace
}  // namespace beaconry
