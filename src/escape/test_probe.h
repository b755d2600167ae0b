#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "escape/probe.h"
#include "escape/stack/dhcp_reply.h"
#include "escape/test_link.h"

// For tests of the whole probe: what stands on its link, and home.
namespace beaconry::test {

inline IpAddress at(std::string_view text) {
  return *IpAddress::parse(text);
}
inline Key32 seed_of(std::uint8_t byte) {
  Key32 seed;
  seed.fill(byte);
  return seed;
}

inline const MacAddress kGatewayMac{{2, 0, 0, 0, 0, 1}}, kHostMac{{2, 0, 0, 0, 0, 0x50}};

// A segment with a gateway behind which home may stand, and whatever else a test switches on.
class ProbeTest : public testing::Test {
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
                   std::chrono::milliseconds{30});
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

}  // namespace beaconry::test
