#include "escape/budget.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>

#include "packet/parse.h"

namespace beaconry {
namespace {

using std::chrono::seconds;
using Verdict = Egress::Verdict;

const MacAddress kOurs{{2, 0, 0, 0, 0, 9}}, kGatewayMac{{2, 0, 0, 0, 0, 1}},
    kNeighbourMac{{2, 0, 0, 0, 0, 0x50}}, kListedMac{{2, 0, 0, 0, 0, 0x60}};
constexpr Timestamp kNow{seconds{1'795'000'000}};

IpAddress at(std::string_view text) {
  return *IpAddress::parse(text);
}
const IpAddress kOwn = at("10.0.1.9"), kGateway = at("10.0.1.1"), kNeighbour = at("10.0.1.50"),
                kListed = at("10.0.1.60"), kHome = at("203.0.113.10");

class KeptLink : public Link {
 public:
  KeptLink() { facts_.mac = kOurs; }
  const InterfaceFacts& facts() const override { return facts_; }
  Result<void> send(ByteView frame, Timestamp now) override {
    if (fails) return fail(ErrorKind::io, "send", "eth0", "the network is down");
    sent.emplace_back(now, Bytes(frame.begin(), frame.end()));
    return {};
  }
  Result<std::optional<ByteView>> receive(std::chrono::milliseconds) override {
    return std::nullopt;
  }
  int descriptor() const override { return -1; }
  std::uint64_t drops() const override { return 0; }

  std::vector<std::pair<Timestamp, Bytes>> sent;
  bool fails = false;

 private:
  InterfaceFacts facts_;
};

Bytes datagram(const MacAddress& to, const IpAddress& source, const IpAddress& destination,
               std::size_t size = 10, std::uint16_t port = 443) {
  return ethernet(to, kOurs, destination.is_v4() ? kEtherIpv4 : kEtherIpv6,
                  ip(source, destination, kProtocolUdp,
                     udp(source, destination, 4711, port, Bytes(size, 'x'))));
}

Bytes arp_question(const IpAddress& source, const IpAddress& target) {
  return ethernet(MacAddress::broadcast(), kOurs, kEtherArp, arp(1, kOurs, source, {}, target));
}

Bytes ipv4_frame(const Ipv4Header& header, ByteView payload, const MacAddress& to = kGatewayMac) {
  return ethernet(to, kOurs, kEtherIpv4, ipv4(header, payload));
}

Ipv4Header to_home() {
  Ipv4Header header;
  header.source = kOwn;
  header.destination = kHome;
  header.protocol = 253;
  return header;
}

// A segment with a gateway, a neighbour that is listed and one that is not; plenty of budget.
struct Setting {
  explicit Setting(Profile profile = Profile::ot) {
    config.profile = profile;
    config.home.addresses = {kHome, at("2001:db8:ffff::10")};
    config.neighbours = {kListed};
    config.packets_a_second = config.bytes_a_second = 1e9;
    config.broadcasts_a_minute = 50'000;
    segment.add_own({.address = kOwn, .prefix_length = 24});
    segment.add_own({.address = at("2001:db8:1::9"), .prefix_length = 64});
    segment.add_gateway(kGateway);
    hear(kGateway, kGatewayMac);
    hear(kNeighbour, kNeighbourMac);
    hear(kListed, kListedMac);
  }
  void hear(const IpAddress& address, const MacAddress& mac) {
    segment.learn(ethernet(kOurs, mac, kEtherArp, arp(2, mac, address, kOurs, kOwn)), kNow);
  }
  Egress egress() {
    Egress made(config, link);
    made.set_own({kOwn, at("2001:db8:1::9")});
    made.follow(&segment);
    return made;
  }
  // Empty: it left.
  std::string refused(ByteView frame, std::uint32_t traits = 0,
                      MethodId method = MethodId::udp_port) {
    Egress made = egress();
    const auto answer = made.send(frame, method, traits, kNow);
    EXPECT_NE(answer.verdict, Verdict::wait);
    EXPECT_EQ(answer.verdict == Verdict::sent, answer.why.empty());
    return answer.why;
  }
  ProbeConfig config;
  Segment segment;
  KeptLink link;
};

struct Case {
  const char* what;
  Bytes frame;
  bool ot, office;  // lab sends all
};

std::vector<Case> cases() {
  std::vector<Case> all;
  const auto add = [&](const char* what, Bytes frame, bool ot, bool office) {
    all.push_back({what, std::move(frame), ot, office});
  };
  add("home through the gateway", datagram(kGatewayMac, kOwn, kHome), true, true);
  add("the gateway itself", datagram(kGatewayMac, kOwn, kGateway), true, true);
  add("a listed neighbour", datagram(kListedMac, kOwn, kListed), true, true);
  add("home through a listed neighbour", datagram(kListedMac, kOwn, kHome), true, true);
  add("a neighbour", datagram(kNeighbourMac, kOwn, kNeighbour), false, true);
  add("home through a neighbour", datagram(kNeighbourMac, kOwn, kHome), false, true);
  add("a neighbour's address by the gateway's MAC", datagram(kGatewayMac, kOwn, kNeighbour), false,
      true);
  add("IP broadcast", datagram(MacAddress::broadcast(), kOwn, at("255.255.255.255")), false, true);
  add("directed broadcast", datagram(kGatewayMac, kOwn, at("10.0.1.255")), false, true);
  add("home by Ethernet broadcast", datagram(MacAddress::broadcast(), kOwn, kHome), false, true);
  add("a group", datagram({{1, 0, 0x5e, 0, 0, 0xfb}}, kOwn, at("224.0.0.251")), false, true);
  add("another's source", datagram(kGatewayMac, kNeighbour, kHome), false, false);
  add("home's source", datagram(kListedMac, kHome, kListed), false, false);
  Bytes mac = datagram(kGatewayMac, kOwn, kHome);
  mac[11] ^= 1;
  add("another's MAC", mac, false, false);
  Bytes sum = datagram(kGatewayMac, kOwn, kHome);
  sum[40] ^= 1;
  add("a wrong UDP checksum", sum, false, false);
  Bytes head = datagram(kGatewayMac, kOwn, kHome);
  head[24] ^= 1;
  add("a wrong IP checksum", head, false, false);
  Bytes cut = datagram(kGatewayMac, kOwn, kHome);
  cut.resize(cut.size() - 3);
  add("shorter than it says", cut, false, false);
  Bytes tagged{0x00, 0x07, 0x08, 0x00};
  const Bytes inner = datagram(kGatewayMac, kOwn, kHome);
  tagged.insert(tagged.end(), inner.begin() + 14, inner.end());
  add("a VLAN tag", ethernet(kGatewayMac, kOurs, kEtherVlan, tagged), false, false);
  Ipv4Header header = to_home();
  add("an IP protocol", ipv4_frame(header, Bytes(20, 'p')), true, true);
  header.fragment_offset = 10;
  add("a later fragment", ipv4_frame(header, Bytes(20, 'p')), false, true);
  header.fragment_offset = 0;
  header.more_fragments = true;
  add("a first fragment", ipv4_frame(header, Bytes(24, 'p')), false, true);
  header = to_home();
  header.options = {131, 7, 4, 10, 0, 1, 60};
  add("a source route", ipv4_frame(header, Bytes(20, 'p')), false, true);
  header.options = {7, 7, 4, 0, 0, 0, 0};
  add("another option", ipv4_frame(header, Bytes(20, 'p')), false, false);
  const IpAddress own6 = at("2001:db8:1::9"), home6 = at("2001:db8:ffff::10");
  add("a fragment header",
      ethernet(kGatewayMac, kOurs, kEtherIpv6,
               ip(own6, home6, 44, Bytes{253, 0, 0, 8, 0, 0, 0, 1, 7})),
      false, true);
  Bytes routing{253, 2, 4, 1, 0, 0, 0, 0};
  routing.insert(routing.end(), home6.bytes().begin(), home6.bytes().end());
  add("a routing header", ethernet(kGatewayMac, kOurs, kEtherIpv6, ip(own6, home6, 43, routing)),
      false, true);
  TcpHeader flags;
  flags.source_port = 1;
  flags.destination_port = 2;
  flags.flags = kTcpSyn | kTcpFin;
  add("SYN and FIN",
      ethernet(kGatewayMac, kOurs, kEtherIpv4,
               ip(kOwn, kHome, kProtocolTcp, tcp(kOwn, kHome, flags, {}))),
      false, false);
  flags.flags = kTcpRst;
  add("RST",
      ethernet(kGatewayMac, kOurs, kEtherIpv4,
               ip(kOwn, kHome, kProtocolTcp, tcp(kOwn, kHome, flags, {}))),
      true, true);
  add("ARP of ours", arp_question(kOwn, kNeighbour), true, true);
  add("an ARP probe", arp_question(IpAddress::v4(0), kNeighbour), true, true);
  add("ARP of another", arp_question(kNeighbour, kGateway), false, false);
  add("ARP that lies of its MAC",
      ethernet(MacAddress::broadcast(), kOurs, kEtherArp, arp(2, kNeighbourMac, kOwn, {}, kOwn)),
      false, false);
  return all;
}

TEST(Egress, ProfilesRefuseWhatTheFrameShowsWhateverTheMethodSaid) {
  for (const Case& of : cases()) {
    EXPECT_EQ(Setting(Profile::ot).refused(of.frame).empty(), of.ot) << of.what;
    EXPECT_EQ(Setting(Profile::office).refused(of.frame).empty(), of.office) << of.what;
    EXPECT_EQ(Setting(Profile::lab).refused(of.frame), "") << of.what;
  }
}

TEST(Egress, ProfilesRefuseWhatTheMethodDeclared) {
  const Bytes frame = datagram(kGatewayMac, kOwn, kHome);
  EXPECT_EQ(Setting(Profile::ot).refused(frame, kSpoofed), "the profile ot sends nothing spoofed");
  EXPECT_EQ(Setting(Profile::office).refused(frame, kMalformed),
            "the profile office sends nothing malformed");
  EXPECT_EQ(Setting(Profile::ot).refused(frame, kToNeighbour), "")
      << "which neighbour it is, the frame shows";
}

TEST(Egress, SaysBeforehandWhatAProfileWouldNeverSend) {
  Setting ot(Profile::ot);
  EXPECT_NE(ot.egress().why_forbidden(MethodId::fragment, kFragmented), "");
  EXPECT_EQ(ot.egress().why_forbidden(MethodId::neighbour_gateway, kToNeighbour), "");
  ot.config.neighbours.clear();
  EXPECT_NE(ot.egress().why_forbidden(MethodId::neighbour_gateway, kToNeighbour), "");
  ot.config.forbidden_methods = {MethodId::udp_port};
  EXPECT_NE(ot.egress().why_forbidden(MethodId::udp_port, 0), "");
  EXPECT_EQ(Setting(Profile::lab).egress().why_forbidden(MethodId::fragment, ~0U), "");
}

TEST(Egress, HousekeepingOfTheProbeItselfIsAllowedAndCounted) {
  Setting ot;
  Egress egress = ot.egress();
  EXPECT_EQ(egress.send(arp_question(kOwn, kGateway), MethodId::none, 0, kNow).verdict,
            Verdict::sent);
  const IpAddress target = at("2001:db8:1::1"), own = at("2001:db8:1::9");
  Bytes body(target.bytes().begin(), target.bytes().end());
  const IpAddress group = at("ff02::1:ff00:1");
  const Bytes solicitation =
      ethernet({{0x33, 0x33, 0xff, 0, 0, 1}}, kOurs, kEtherIpv6,
               ip(own, group, kProtocolIcmpv6, icmpv6(own, group, 135, 0, 0, body), 255));
  EXPECT_EQ(egress.send(solicitation, MethodId::none, 0, kNow).why, "");
  Bytes discover(240, 0);
  discover[0] = 1;
  const IpAddress nobody = IpAddress::v4(0), all = at("255.255.255.255");
  EXPECT_EQ(egress
                .send(ethernet(MacAddress::broadcast(), kOurs, kEtherIpv4,
                               ip(nobody, all, kProtocolUdp, udp(nobody, all, 68, 67, discover))),
                      MethodId::none, 0, kNow)
                .why,
            "");
  EXPECT_EQ(egress.counters().broadcasts, 3U);
  EXPECT_EQ(egress.counters().frames, 3U);
}

TEST(Egress, ForbiddenAddressesAreFoundWhereverTheyStand) {
  Setting lab(Profile::lab);
  lab.config.forbidden_addresses = {*Cidr::parse("10.0.1.50"), *Cidr::parse("2001:db8:7::/48")};
  lab.config.forbidden_macs = {kListedMac};
  EXPECT_NE(lab.refused(datagram(kGatewayMac, kOwn, kNeighbour)), "");
  EXPECT_NE(lab.refused(datagram(kGatewayMac, kNeighbour, kHome)), "");
  EXPECT_NE(lab.refused(arp_question(kOwn, kNeighbour)), "");
  EXPECT_NE(lab.refused(arp_question(kNeighbour, kGateway)), "");
  EXPECT_NE(lab.refused(datagram(kListedMac, kOwn, kHome)), "");
  Ipv4Header header = to_home();
  header.options = {131, 7, 4, 10, 0, 1, 50};
  EXPECT_NE(lab.refused(ipv4_frame(header, Bytes(20, 'p'))), "");
  const IpAddress own = at("2001:db8:1::9"), group = at("ff02::1:ff00:1");
  const auto target = at("2001:db8:7::1").bytes();
  EXPECT_NE(lab.refused(ethernet(
                {{0x33, 0x33, 0xff, 0, 0, 1}}, kOurs, kEtherIpv6,
                ip(own, group, kProtocolIcmpv6,
                   icmpv6(own, group, 135, 0, 0, Bytes(target.begin(), target.end())), 255))),
            "");
  EXPECT_EQ(lab.refused(datagram(kGatewayMac, kOwn, kHome)), "");
}

TEST(Egress, ForbiddenMethodsDoNotSend) {
  Setting lab(Profile::lab);
  lab.config.forbidden_methods = {MethodId::icmp};
  const Bytes frame = datagram(kGatewayMac, kOwn, kHome);
  EXPECT_NE(lab.refused(frame, 0, MethodId::icmp), "");
  EXPECT_EQ(lab.refused(frame, 0, MethodId::udp_port), "");
}

TEST(Egress, NothingLeavesAfterTheEndNotEvenArp) {
  Setting lab(Profile::lab);
  lab.config.end = kNow + seconds{10};
  Egress egress = lab.egress();
  const Bytes frame = arp_question(kOwn, kGateway);
  EXPECT_EQ(egress.send(frame, MethodId::none, 0, kNow + seconds{9}).verdict, Verdict::sent);
  EXPECT_EQ(egress.send(frame, MethodId::none, 0, kNow + seconds{10}).verdict, Verdict::forbidden);
  EXPECT_EQ(lab.link.sent.size(), 1U);
}

TEST(Egress, ALinkThatFailsIsCountedAndAskedAgainLater) {
  Setting lab(Profile::lab);
  lab.link.fails = true;
  Egress egress = lab.egress();
  const auto answer = egress.send(datagram(kGatewayMac, kOwn, kHome), MethodId::none, 0, kNow);
  EXPECT_EQ(answer.verdict, Verdict::wait);
  EXPECT_GT(answer.when, kNow);
  EXPECT_NE(answer.why, "");
  EXPECT_EQ(egress.counters().failed, 1U);
  EXPECT_EQ(egress.counters().frames, 0U);
}

TEST(Egress, AClockSetBackGivesNothingAndBlocksNothing) {
  Setting lab(Profile::lab);
  lab.config.packets_a_second = 1;
  lab.config.broadcasts_a_minute = 1;
  Egress egress = lab.egress();
  const Bytes frame = arp_question(kOwn, kGateway);
  EXPECT_EQ(egress.send(frame, MethodId::none, 0, kNow).verdict, Verdict::sent);
  const Timestamp back = kNow - std::chrono::hours{10};
  const auto answer = egress.send(frame, MethodId::none, 0, back);
  EXPECT_EQ(answer.verdict, Verdict::wait);
  EXPECT_LE(answer.when, back + seconds{60});
  EXPECT_EQ(egress.send(frame, MethodId::none, 0, answer.when).verdict, Verdict::sent);
}

// What left in the half-open time [from, from + length).
struct Sums {
  double frames = 0, bytes = 0, broadcasts = 0;
};
Sums within(const KeptLink& link, std::size_t from, Duration length) {
  Sums sums;
  const Timestamp begin = link.sent[from].first;
  for (std::size_t i = from; i < link.sent.size() && link.sent[i].first < begin + length; ++i) {
    sums.frames += 1;
    sums.bytes += static_cast<double>(link.sent[i].second.size());
    sums.broadcasts += (link.sent[i].second[0] & 1) != 0 ? 1 : 0;
  }
  return sums;
}

RC_GTEST_PROP(Egress, NoTimeSeesMoreThanTheBudgetAndNothingForbiddenPasses, ()) {
  Setting setting(Profile::lab);
  const double packets = *rc::gen::inRange(1, 400) / 10.0;
  const double bytes = *rc::gen::inRange(100, 100'000);
  const double broadcasts = *rc::gen::inRange(1, 300) / 10.0;
  setting.config.packets_a_second = packets;
  setting.config.bytes_a_second = bytes;
  setting.config.broadcasts_a_minute = broadcasts;
  setting.config.forbidden_addresses = {*Cidr::parse("10.0.1.50")};
  Egress egress = setting.egress();
  Timestamp now = kNow;
  for (int i = 0; i < 200; ++i) {
    now += Duration(*rc::gen::inRange<std::int64_t>(0, 1'500'000));
    const int kind = *rc::gen::inRange(0, 4);
    const Bytes frame =
        kind == 0   ? arp_question(kOwn, kGateway)
        : kind == 1 ? datagram(kGatewayMac, kOwn, kNeighbour)
                    : datagram(kGatewayMac, kOwn, kHome, *rc::gen::inRange<std::size_t>(0, 1400));
    auto answer = egress.send(frame, MethodId::udp_port, 0, now);
    if (kind == 1) {
      RC_ASSERT(answer.verdict == Verdict::forbidden);
      continue;
    }
    // Who waits until the time it was told gets through: no promise is broken.
    if (answer.verdict == Verdict::wait && *rc::gen::arbitrary<bool>()) {
      now = answer.when;
      answer = egress.send(frame, MethodId::udp_port, 0, now);
      RC_ASSERT(answer.verdict == Verdict::sent);
    }
  }
  for (const auto& [when, frame] : setting.link.sent) {
    ParsedPacket packet;
    if (parse_packet(kLinkEthernet, frame.data(), frame.data() + frame.size(),
                     static_cast<std::uint32_t>(frame.size()), &packet) == kParsed) {
      RC_ASSERT(IpAddress::v6_bytes(packet.destination) != kNeighbour);
    }
  }
  const double packet_burst = std::max(1.0, packets / 20);
  const double byte_burst = std::max(1518.0, bytes / 20);
  for (std::size_t from = 0; from < setting.link.sent.size(); ++from) {
    for (const int length : {1, 5, 60}) {
      const Sums sums = within(setting.link, from, seconds{length});
      RC_ASSERT(sums.frames <= packets * length + packet_burst + 1e-6);
      RC_ASSERT(sums.bytes <= bytes * length + byte_burst + 1e-3);
    }
    RC_ASSERT(within(setting.link, from, seconds{60}).broadcasts <= std::max(1.0, broadcasts));
  }
}

}  // namespace
}  // namespace beaconry
