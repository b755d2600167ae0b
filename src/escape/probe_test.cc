#include "escape/probe.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "escape/stack/dhcp_reply.h"
#include "escape/test_link.h"

namespace beaconry {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using test::TestEvidence;
using test::TestLink;
using testing::Test;

IpAddress at(std::string_view text) {
  return *IpAddress::parse(text);
}
Key32 seed_of(std::uint8_t byte) {
  Key32 seed;
  seed.fill(byte);
  return seed;
}

const MacAddress kGatewayMac{{2, 0, 0, 0, 0, 1}}, kHostMac{{2, 0, 0, 0, 0, 0x50}};

// A segment with a gateway behind which home may stand, and whatever else a test switches on.
class ProbeTest : public Test {
 protected:
  ProbeTest() {
    config.name = "test";
    config.seed = seed_of(1);
    config.home.key = home_keys.box_public();
    config.home.addresses = {home};
    config.packets_a_second = 100;
    config.bytes_a_second = 1e6;
    config.broadcasts_a_minute = 600;
    config.ports = {53, 443};
    config.long_cycle = false;
    link.peer = [this](const Frame& frame, ByteView) { answer(frame); };
  }

  void be_static() {
    config.addresses = {*Cidr::parse("10.0.1.9/24")};
    config.own_hosts = {at("10.0.1.9")};
    config.gateways = {gateway};
  }
  // All but these are forbidden.
  void only(std::initializer_list<MethodId> wanted) {
    const std::set<MethodId> keep(wanted);
    for (const Method* method : methods_table())
      if (!keep.contains(method->id)) config.forbidden_methods.push_back(method->id);
  }

  void run(Duration time, bool once = false) {
    Probe::Options options;
    options.config = config;
    options.once = once;
    options.clock = [this] { return link.now; };
    options.say = [this](const std::string& line) { lines.push_back(line); };
    const Timestamp end = link.now + time;
    options.stopping = [this, end] { return link.now >= end; };
    auto made = Probe::make(std::move(options), link, evidence);
    ASSERT_TRUE(made) << made.error().message();
    probe = std::move(*made);
    const auto ran = probe->run();
    EXPECT_TRUE(ran) << ran.error().message();
    ended_early = link.now < end;
  }

  // What others on the link do with a frame of the probe's.
  void answer(const Frame& frame) {
    if (frame.kind == Frame::Kind::arp && frame.arp.operation == 1) {
      if (frame.arp.target == gateway && gateway_answers && !frame.arp.sender.is_unspecified()) {
        send_arp(kGatewayMac, gateway, frame);
      }
      if (frame.arp.target == host_address) send_arp(kHostMac, host_address, frame);
    }
    if (frame.kind != Frame::Kind::ip) return;
    if (frame.protocol == kProtocolUdp && frame.destination_port == 67 && dhcp_server) {
      serve_dhcp(frame);
    }
    if (frame.destination == kGatewayMac && frame.ip_destination == home) at_home(frame);
  }
  void send_arp(const MacAddress& mac, const IpAddress& of, const Frame& asked) {
    link.deliver(ethernet(asked.source, mac, kEtherArp,
                          arp(2, mac, of, asked.arp.sender_mac, asked.arp.sender)));
  }

  void serve_dhcp(const Frame& frame) {
    const ByteView asked = frame.payload;
    const auto option = [&](std::uint8_t code) -> ByteView {
      for (std::size_t i = 240; i + 1 < asked.size() && asked[i] != 255; i += 2U + asked[i + 1])
        if (asked[i] == code) return asked.subspan(i + 2, asked[i + 1]);
      return {};
    };
    const std::uint8_t type = option(53)[0];
    dhcp_types.push_back(type);
    client_id.assign(option(61).begin(), option(61).end());
    if (type != 1 && type != 3) return;
    Bytes reply(236, 0);
    reply[0] = 2;
    reply[1] = 1;
    reply[2] = 6;
    std::copy_n(asked.begin() + 4, 4, reply.begin() + 4);
    const IpAddress leased = at(lease);
    std::copy_n(leased.bytes().begin() + 12, 4, reply.begin() + 16);
    std::copy_n(asked.begin() + 28, 6, reply.begin() + 28);
    reply.insert(reply.end(), {0x63, 0x82, 0x53, 0x63, 53, 1,
                               static_cast<std::uint8_t>(type == 1 ? 2 : 5), 54, 4, 10, 0, 1, 1});
    reply.insert(reply.end(), {1, 4,  255, 255, 255, 0,  3, 4, 10, 0,    1,    1,  6,
                               4, 10, 0,   1,   53,  51, 4, 0, 0,  0x02, 0x58, 255});  // 600 s
    const IpAddress all = IpAddress::v4(0xffffffffU);
    link.deliver(ethernet(MacAddress::broadcast(), kGatewayMac, kEtherIpv4,
                          ip(gateway, all, kProtocolUdp, udp(gateway, all, 67, 68, reply))));
  }

  // What reached home, and home's answers.
  void at_home(const Frame& frame) {
    if (frame.protocol == kProtocolTcp && tcp_home) return serve_tcp(frame);
    const auto found = find_ping(frame.packet);
    if (!found) return;
    const auto ping = open_sealed(found->sealed, home_key);
    if (!ping) return;
    pings.push_back(*ping);
    if (home_answers && ping->leg == Leg::outbound && frame.protocol == kProtocolUdp) {
      const Bytes reply = reply_to(*ping);
      link.deliver(ethernet(frame.source, kGatewayMac, kEtherIpv4,
                            ip(home, frame.ip_source, kProtocolUdp,
                               udp(home, frame.ip_source, frame.destination_port, frame.source_port,
                                   reply))),
                   milliseconds{30});
    }
  }
  Bytes reply_to(const Ping& ping) const {
    Ping reply = ping;
    reply.leg = Leg::reply;
    return seal(reply, home_key);
  }
  void serve_tcp(const Frame& frame) {
    const std::uint32_t sequence = parse_be32(frame.transport.data() + 4);
    const std::uint32_t size = static_cast<std::uint32_t>(frame.payload.size());
    TcpHeader header;
    header.source_port = frame.destination_port;
    header.destination_port = frame.source_port;
    header.flags = kTcpAck;
    header.sequence = 1001;
    const auto send = [&](ByteView data) {
      link.deliver(ethernet(
          frame.source, kGatewayMac, kEtherIpv4,
          ip(home, frame.ip_source, kProtocolTcp, tcp(home, frame.ip_source, header, data))));
    };
    if ((frame.tcp_flags & kTcpSyn) != 0) {
      header.flags = kTcpSyn | kTcpAck;
      header.sequence = 1000;
      header.acknowledgement = sequence + 1;
      return send({});
    }
    if (size == 0) return;
    header.acknowledgement = sequence + size;
    const auto found = find_ping(frame.payload);
    const auto ping =
        found ? open_sealed(found->sealed, home_key) : Result<Ping>(tl::unexpected(Error{}));
    if (!ping) return;
    pings.push_back(*ping);
    send(ping->leg == Leg::outbound ? reply_to(*ping) : Bytes{});
  }

  std::size_t said(std::string_view words) const {
    return static_cast<std::size_t>(std::count_if(
        lines.begin(), lines.end(),
        [&](const std::string& line) { return line.find(words) != std::string::npos; }));
  }
  std::string all_lines() const {
    std::string all;
    for (const std::string& line : lines)
      all += line + "\n";
    return all;
  }

  const IpAddress gateway = at("10.0.1.1"), home = at("203.0.113.10");
  IpAddress host_address = at("10.0.1.50");
  PartyKeys home_keys{seed_of(2)};
  SharedKey home_key = SharedKey::make(home_keys, PartyKeys(seed_of(1)).box_public()).value();
  ProbeConfig config;
  TestLink link;
  TestEvidence evidence;
  std::unique_ptr<Probe> probe;
  std::vector<std::string> lines;
  std::vector<Ping> pings;
  std::vector<std::uint8_t> dhcp_types;
  Bytes client_id;
  std::string lease = "10.0.1.77";
  bool gateway_answers = true, dhcp_server = false, home_answers = false, tcp_home = false;
  bool ended_early = false;
};

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
