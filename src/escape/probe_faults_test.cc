// What a probe does when others on its link go, come, or mean no good.
#include <gtest/gtest.h>

#include "escape/neighbour_sweep.h"
#include "escape/stack/responder.h"
#include "escape/stack/solicit.h"
#include "escape/test_probe_faults.h"

namespace beaconry {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using test::at;
using ProbeFaults = test::SmallProbe;

const MacAddress kOurs{{2, 0, 0, 0, 0, 9}}, kHost{{2, 0, 0, 0, 0, 0x50}};

TEST_F(ProbeFaults, WhenAGatewayGoesTheOtherIsUsed) {
  config.gateways = {at("10.0.1.1"), at("10.0.1.2")};
  present = {at("10.0.1.1"), at("10.0.1.2")};
  const Timestamp begun = link.now;
  link.turn = [&] {
    if (link.now >= begun + minutes{5}) present = {at("10.0.1.2")};
  };
  run(minutes{40});
  std::size_t late = 0;
  for (const auto& sent : link.sent) {
    const auto frame = read_frame(sent.frame);
    if (sent.when > begun + minutes{20} && frame->kind == Frame::Kind::ip &&
        frame->destination == MacAddress{{2, 0, 0, 0, 0, 2}}) {
      ++late;
    }
  }
  EXPECT_GE(late, 15U);
}

TEST_F(ProbeFaults, QuestionsThatAreAnsweredToAllDoNotUseUpTheBroadcasts) {
  config.home.addresses = {at("203.0.113.10"), at("2001:db8:ffff::10")};
  config.addresses.push_back(*Cidr::parse("2001:db8:1::9/64"));
  config.own_hosts.push_back(at("2001:db8:1::9"));
  config.broadcasts_a_minute = 6;
  Timestamp next = link.now + minutes{2};
  link.turn = [&] {
    if (link.now < next) return;
    next = link.now + seconds{1};
    MacAddress from = kHost;  // asks for our address from none of its own: RFC 4862
    link.deliver(ask_for_mac(from, IpAddress(), at("2001:db8:1::9")));
  };
  run(minutes{30});
  std::size_t to_all = 0;
  const IpAddress all_nodes = at("ff02::1");
  for (const auto& sent : link.sent) {
    const auto frame = read_frame(sent.frame);
    if (frame->kind == Frame::Kind::ip && frame->ip_destination == all_nodes) ++to_all;
  }
  EXPECT_GT(to_all, 0U);
  EXPECT_LE(to_all, 31U * 3);
}

Bytes solicitation(const MacAddress& link_layer, const IpAddress& source) {
  const IpAddress target = at("2001:db8:1::9");
  Bytes body(target.bytes().begin(), target.bytes().end());
  body.insert(body.end(), {1, 1});
  body.insert(body.end(), link_layer.bytes.begin(), link_layer.bytes.end());
  return ethernet(
      kOurs, kHost, kEtherIpv6,
      ip(source, target, kProtocolIcmpv6, icmpv6(source, target, 135, 0, 0, body), 255));
}

TEST(Responder, SpeaksToNoGroupInAnothersStead) {
  Segment segment;
  Segment::OwnAddress own;
  own.address = at("2001:db8:1::9");
  own.prefix_length = 64;
  segment.add_own(own);
  const auto answers = [&](const MacAddress& link_layer, std::string_view source) {
    const Bytes bytes = solicitation(link_layer, at(source));
    return answer_to(*read_frame(bytes), kOurs, segment).has_value();
  };
  EXPECT_TRUE(answers(kHost, "2001:db8:1::50"));
  EXPECT_FALSE(answers(MacAddress::broadcast(), "2001:db8:1::50"));
  EXPECT_FALSE(answers({{0x33, 0x33, 0, 0, 0, 1}}, "2001:db8:1::50"));
  EXPECT_FALSE(answers(kHost, "ff02::1"));
}

TEST(NeighbourSweep, BeginsAnewInAnotherNetworkAndWhenTold) {
  ProbeConfig config;
  config.profile = Profile::office;
  NeighbourSweep sweep(config);
  Segment segment;
  Segment::OwnAddress own;
  own.address = at("10.0.1.9");
  own.prefix_length = 29;
  segment.add_own(own);
  const auto all = [&] {
    std::vector<IpAddress> asked;
    while (const auto next = sweep.next(segment))
      asked.push_back(*next);
    return asked;
  };
  const auto first = all();
  EXPECT_EQ(first.size(), 5U);
  EXPECT_TRUE(all().empty());
  sweep.begin_anew();
  EXPECT_EQ(all(), first);
  segment.remove_own(own.address);
  own.address = at("10.0.2.9");
  segment.add_own(own);
  const auto second = all();
  EXPECT_EQ(second.size(), 5U);
  EXPECT_EQ(second.at(0), at("10.0.2.10"));
}

TEST(Segment, WhatALeaseToldIsForgottenWithIt) {
  Segment segment;
  segment.add_gateway(at("10.0.1.1"));
  segment.add_gateway(at("10.0.1.2"));
  segment.add_resolver(at("10.0.1.53"));
  segment.forget_gateway(at("10.0.1.1"));
  segment.forget_gateway(at("10.0.1.7"));
  segment.forget_resolver(at("10.0.1.53"));
  EXPECT_EQ(segment.gateways(), std::vector<IpAddress>{at("10.0.1.2")});
  EXPECT_TRUE(segment.resolvers().empty());
}

}  // namespace
}  // namespace beaconry
