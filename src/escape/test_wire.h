#pragma once
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "escape/method.h"
#include "packet/craft.h"
#include "packet/parse.h"
#include "ping/key_ring.h"
#include "ping/keys.h"
#include "ping/seal.h"

// For tests of methods: a segment with keys on both sides, and a Wire that keeps what was sent,
// takes what a test lets arrive, and answers as home would. Nothing waits and nothing is random.
namespace beaconry::test {

inline IpAddress address(std::string_view text) {
  return IpAddress::parse(text).value();
}

inline MacAddress mac_address(std::string_view text) {
  return MacAddress::parse(text).value();
}

inline Key32 seed_of(std::uint8_t byte) {
  Key32 seed;
  seed.fill(byte);
  return seed;
}

constexpr Timestamp kTestNow{std::chrono::seconds{1'795'000'000}};
inline const MacAddress kTestMac = mac_address("02:00:00:00:00:09");

// Two families inside and outside; tests take away what they do without.
//   inside: ourselves .9, gateway .1, a neighbour .50, a printer .60
struct House {
  PartyKeys home_keys{seed_of(2)};
  ProbeConfig config;
  Segment segment;

  explicit House(bool v4 = true, bool v6 = true) {
    config.name = "test";
    config.seed = seed_of(1);
    config.profile = Profile::lab;
    config.home.key = home_keys.box_public();
    config.home.zone = "t.example.org";
    if (v4) {
      config.home.addresses.push_back(address("203.0.113.10"));
      add_own("10.0.1.9", 24);
      add_gateway("10.0.1.1", "02:00:00:00:00:01");
      add_neighbour("10.0.1.50", "02:00:00:00:00:50");
      add_neighbour("10.0.1.60", "02:00:00:00:00:60");
    }
    if (v6) {
      config.home.addresses.push_back(address("2001:db8:ffff::10"));
      add_own("2001:db8:1::9", 64);
      add_own("fe80::9", 64);
      add_gateway("fe80::1", "02:00:00:00:00:01");
      add_neighbour("2001:db8:1::50", "02:00:00:00:00:50");
    }
  }

  void add_own(std::string_view text, unsigned prefix_length, bool kernel_owned = false) {
    const IpAddress own = address(text);
    segment.add_own({.address = own,
                     .prefix_length = prefix_length,
                     .kernel_owned = kernel_owned,
                     .link_local = own.is_link_local()});
  }
  void add_gateway(std::string_view text, std::string_view mac) {
    add_neighbour(text, mac);
    segment.add_gateway(address(text));
  }
  // Lets it be heard: ARP's answer, or a neighbour advertisement.
  void add_neighbour(std::string_view text, std::string_view mac) {
    const IpAddress neighbour = address(text);
    const MacAddress from = mac_address(mac);
    if (neighbour.is_v4()) {
      const Bytes answer = arp(2, from, neighbour, kTestMac, address("10.0.1.9"));
      segment.learn(ethernet(kTestMac, from, kEtherArp, answer), kTestNow);
      return;
    }
    Bytes body(neighbour.bytes().begin(), neighbour.bytes().end());
    body.insert(body.end(), {2, 1});  // the target's link-layer address
    body.insert(body.end(), from.bytes.begin(), from.bytes.end());
    const IpAddress all = address("ff02::1");
    const Bytes icmp = icmpv6(neighbour, all, 136, 0, 0x20000000, body);
    segment.learn(ethernet(mac_address("33:33:00:00:00:01"), from, kEtherIpv6,
                           ip(neighbour, all, kProtocolIcmpv6, icmp, 255)),
                  kTestNow);
  }
  // Lets a router advertise itself.
  void add_router(std::string_view text, std::string_view mac) {
    const IpAddress router = address(text), all = address("ff02::1");
    const MacAddress from = mac_address(mac);
    Bytes body(8, 0);                 // reachable and retransmission times
    body.insert(body.end(), {1, 1});  // the source's link-layer address
    body.insert(body.end(), from.bytes.begin(), from.bytes.end());
    const Bytes icmp = icmpv6(router, all, 134, 0, 0x40000708, body);
    segment.learn(ethernet(mac_address("33:33:00:00:00:01"), from, kEtherIpv6,
                           ip(router, all, kProtocolIcmpv6, icmp, 255)),
                  kTestNow);
  }

  Scope scope(CycleKind cycle = CycleKind::short_cycle) const {
    return {.config = config, .segment = segment, .cycle = cycle};
  }
};

class TestWire : public Wire {
 public:
  enum class Way : std::uint8_t { usual, via, frame };
  struct Sent {
    Way way = Way::usual;
    Bytes frame;    // as it would leave; Ethernet to zeros where nobody knows the next hop
    IpAddress via;  // of Way::via
    // From the IP header on, behind any VLAN tags.
    ByteView packet() const {
      std::size_t at = 12;
      while (frame.size() >= at + 4 && frame[at] == 0x81 && frame[at + 1] == 0)
        at += 4;
      return ByteView(frame).subspan(at + 2);
    }
    MacAddress to() const {
      MacAddress mac;
      std::copy_n(frame.begin(), mac.bytes.size(), mac.bytes.begin());
      return mac;
    }
  };
  struct Connection {
    IpAddress destination, via;
    std::uint16_t port = 0;
    Bytes written;
    bool closed = false;
  };

  // The house outlives this and may change in between.
  explicit TestWire(const House& house, CycleKind cycle = CycleKind::short_cycle)
      : house_(house),
        scope_(house.scope(cycle)),
        probe_keys_(house.config.seed),
        key_(SharedKey::make(probe_keys_, house.config.home.key).value()),
        ring_(KeyRing::make(house.home_keys, {{.id = probe_keys_.id(),
                                               .name = house.config.name,
                                               .box_public = probe_keys_.box_public(),
                                               .sign_public = probe_keys_.sign_public()}})
                  .value()) {
    current_.cycle_kind = cycle;
  }

  // A try, from its first packet on. `conversation()` is what it left, begun.
  void run(const Method& method, const Target& target, Leg leg = Leg::outbound) {
    current_.method = &method;
    current_.target = target;
    current_.leg = leg;
    current_.cycle = 3;
    ++current_.sequence;
    answered_ = false;
    conversation_ = method.run(*this);
    if (conversation_) conversation_->begin(*this);
  }

  // What the world does.
  bool arrive(const Arrival& arrival) {
    return conversation_ && !conversation_->is_done() && conversation_->arrived(*this, arrival);
  }
  // A datagram to a port of ours, with the packet that brings it.
  bool arrive_udp(const IpAddress& source, std::uint16_t source_port, const IpAddress& destination,
                  std::uint16_t destination_port, ByteView payload) {
    const Bytes packet = ip(source, destination, kProtocolUdp,
                            udp(source, destination, source_port, destination_port, payload));
    return arrive({.source = source,
                   .destination = destination,
                   .protocol = kProtocolUdp,
                   .source_port = source_port,
                   .destination_port = destination_port,
                   .payload = payload,
                   .packet = packet});
  }
  void accept() { conversation_->connected(*this); }
  void feed(ByteView stream) { conversation_->received(*this, stream); }
  void hang_up(std::string_view why) { conversation_->closed(*this, why); }
  void time_out() { conversation_->timed_out(*this); }

  // What home would answer to the current try, and whether the method found an answer in something.
  Bytes home_reply() const {
    Ping reply = ping_of_current();
    reply.leg = Leg::reply;
    return seal(reply, SharedKey::make(house_.home_keys, probe_keys_.box_public()).value());
  }
  ReplyProof home_proof() const { return reply_proof(key_, nonce_); }
  bool answered() const { return answered_; }

  // What home makes of bytes of any kind.
  std::optional<Ping> open(ByteView bytes) {
    const auto found = find_ping(bytes);
    if (!found) return std::nullopt;
    const auto opened = ring_.open(found->sealed, now_);
    if (!opened) return std::nullopt;
    return opened->ping;
  }
  std::optional<KeyRing::Bounced> find_token(const BounceToken& token) {
    return ring_.find_token(token, now_);
  }
  // As the current try's ping says it, before it is sealed.
  Ping ping_of_current() const {
    const Target& target = current_.target;
    return {.leg = current_.leg,
            .method = current_.method->id,
            .variant = target.variant,
            .cycle_kind = current_.cycle_kind,
            .cycle = current_.cycle,
            .probe = probe_keys_.id(),
            .sequence = current_.sequence,
            .sent = now_,
            .source = source_for(target.destination).value_or(IpAddress{}),
            .destination = target.destination,
            .port = target.port,
            .via = target.via};
  }

  const std::vector<Sent>& sent() const { return sent_; }
  void forget_sent() { sent_.clear(); }
  const std::vector<Connection>& connections() const { return connections_; }
  const std::vector<std::uint16_t>& claimed() const { return claimed_; }
  Conversation* conversation() const { return conversation_.get(); }
  std::chrono::milliseconds timeout() const { return timeout_; }
  void set_now(Timestamp now) { now_ = now; }

  const Scope& scope() const override { return scope_; }
  const Try& current() const override { return current_; }
  Timestamp now() const override { return now_; }
  const MacAddress& mac() const override { return kTestMac; }
  Bytes ping() override {
    Bytes sealed = seal(ping_of_current(), key_);
    nonce_ = nonce_in(sealed);
    return sealed;
  }
  const SharedKey& key() const override { return key_; }
  std::uint32_t random() override { return random_ += 0x9e3779b9; }
  std::optional<IpAddress> source_for(const IpAddress& destination) const override {
    const auto own = house_.segment.own_for(destination);
    if (!own) return std::nullopt;
    return own->address;
  }

  void send_ip(Bytes packet) override {
    const bool v4 = packet.at(0) >> 4 == 4;
    IpAddress hop =
        v4 ? IpAddress::v4_bytes(packet.data() + 16) : IpAddress::v6_bytes(packet.data() + 24);
    if (!house_.segment.is_on_link(hop)) {
      const auto& gateways = house_.segment.gateways();
      const auto gateway = std::find_if(gateways.begin(), gateways.end(),
                                        [&](const IpAddress& g) { return g.is_v4() == v4; });
      hop = gateway == gateways.end() ? IpAddress{} : *gateway;
    }
    keep(Way::usual, packet, hop);
  }
  void send_ip_via(Bytes packet, const IpAddress& neighbour) override {
    keep(Way::via, packet, neighbour);
    sent_.back().via = neighbour;
  }
  void send_frame(Bytes frame) override {
    sent_.push_back({.way = Way::frame, .frame = std::move(frame), .via = {}});
  }

  std::uint16_t claim_port(std::uint8_t /*protocol*/) override {
    claimed_.push_back(static_cast<std::uint16_t>(40'000 + claimed_.size()));
    return claimed_.back();
  }
  void connect(const IpAddress& destination, std::uint16_t port, const IpAddress& via) override {
    connections_.push_back(
        {.destination = destination, .via = via, .port = port, .written = {}, .closed = false});
  }
  void write(Bytes stream) override {
    Bytes& written = connections_.at(connections_.size() - 1).written;
    written.insert(written.end(), stream.begin(), stream.end());
  }
  void close() override {
    if (!connections_.empty()) connections_.back().closed = true;
  }
  void set_timeout(std::chrono::milliseconds after) override { timeout_ = after; }

  bool take_reply(ByteView bytes) override {
    const auto found = find_ping(bytes);
    if (!found) return false;
    const auto reply = open_sealed(found->sealed, key_);
    if (!reply || reply->leg != Leg::reply || reply->sequence != current_.sequence) return false;
    return take_answer();
  }
  bool take_proof(const ReplyProof& proof) override {
    return proof == reply_proof(key_, nonce_) && take_answer();
  }

 private:
  bool take_answer() {
    answered_ = true;
    current_.leg = Leg::confirmed;
    return true;
  }
  void keep(Way way, const Bytes& packet, const IpAddress& hop) {
    const std::uint16_t type = packet.at(0) >> 4 == 4 ? kEtherIpv4 : kEtherIpv6;
    const MacAddress to = house_.segment.mac_of(hop).value_or(MacAddress{});
    sent_.push_back({.way = way, .frame = ethernet(to, kTestMac, type, packet), .via = {}});
  }

  const House& house_;
  Scope scope_;
  PartyKeys probe_keys_;
  SharedKey key_;
  KeyRing ring_;
  Try current_;
  Timestamp now_ = kTestNow;
  Nonce nonce_{};
  std::uint32_t random_ = 1;
  bool answered_ = false;
  std::unique_ptr<Conversation> conversation_;
  std::vector<Sent> sent_;
  std::vector<Connection> connections_;
  std::vector<std::uint16_t> claimed_;
  std::chrono::milliseconds timeout_{5000};
};

}  // namespace beaconry::test
