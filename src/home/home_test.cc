#include "home/home.h"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>

#include "home/test_network.h"
#include "home/used_ports.h"
#include "ping/seal.h"

namespace beaconry::test_home {
namespace {

using testing::HasSubstr;

ByteView view(const std::vector<char>& bytes) {
  return as_bytes({bytes.data(), bytes.size()});
}

class HomeOnTheKernel : public HomeNetwork {
 protected:
  void send_datagram(const Fd& socket, const IpAddress& to, std::uint16_t port, ByteView bytes) {
    const auto address = to_socket_address(to, port);
    ASSERT_EQ(::sendto(socket.get(), bytes.data(), bytes.size(), 0,
                       reinterpret_cast<const sockaddr*>(&address), size_of(address)),
              static_cast<ssize_t>(bytes.size()));
  }
  // The next datagram and who sent it; home works meanwhile.
  std::optional<std::pair<std::vector<char>, std::uint16_t>> answer_of(const Fd& socket) {
    std::vector<char> bytes(2048);
    sockaddr_storage from{};
    socklen_t size = sizeof from;
    ssize_t got = -1;
    if (!wait_until([&] {
          got = ::recvfrom(socket.get(), bytes.data(), bytes.size(), MSG_DONTWAIT,
                           reinterpret_cast<sockaddr*>(&from), &size);
          return got >= 0;
        })) {
      return std::nullopt;
    }
    bytes.resize(static_cast<std::size_t>(got));
    return std::pair{bytes, from_socket_address(from).second};
  }
};

TEST_F(HomeOnTheKernel, AnswersADatagramFromWhereItWasSentTo) {
  open_home();
  if (IsSkipped()) return;
  for (const IpAddress& to : {kHome4, kHome6}) {
    const Fd socket = outside_socket(to.is_v4() ? AF_INET : AF_INET6, SOCK_DGRAM);
    Ping ping = probe_.ping(MethodId::udp_port, to, 17'123);
    send_datagram(socket, to, 17'123, probe_.sealed(ping));
    const auto answer = answer_of(socket);
    ASSERT_TRUE(answer) << home_->status_json();
    EXPECT_EQ(answer->second, 17'123);
    const auto reply = open_sealed(view(answer->first), probe_.key);
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->leg, Leg::reply);
    EXPECT_EQ(reply->sequence, ping.sequence);
    EXPECT_LE(answer->first.size(), probe_.sealed(ping).size());

    ping.leg = Leg::confirmed;
    send_datagram(socket, to, 17'123, probe_.sealed(ping));
    const std::size_t wanted = to.is_v4() ? 2 : 4;
    ASSERT_TRUE(wait_until([&] {
      return counter("observations") == wanted && counter("seen_twice") == wanted;
    })) << home_->status_json();
  }
  const auto seen = observations();
  ASSERT_EQ(seen.size(), 4U);
  EXPECT_EQ(seen[0].receiver, "udp");
  EXPECT_EQ(seen[0].authenticity, Authenticity::authentic);
  EXPECT_EQ(seen[0].source, kProbe4);
  EXPECT_EQ(seen[0].destination, kHome4);
  EXPECT_EQ(seen[0].destination_port, 17'123);
  EXPECT_EQ(seen[0].ttl, 64);
  EXPECT_EQ(seen[1].ping.leg, Leg::confirmed);
  EXPECT_EQ(seen[2].source, kProbe6);
  EXPECT_EQ(seen[2].ttl, 64);
}

TEST_F(HomeOnTheKernel, AcceptsConnectionsOnEveryPort) {
  open_home();
  if (IsSkipped()) return;
  for (const IpAddress& to : {kHome4, kHome6}) {
    const Fd socket = outside_socket(to.is_v4() ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK);
    const auto address = to_socket_address(to, 8443);
    ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), size_of(address));
    const Ping ping = probe_.ping(MethodId::tcp_connect, to, 8443);
    const Bytes sealed = probe_.sealed(ping);
    ASSERT_TRUE(wait_until([&] {
      return ::send(socket.get(), sealed.data(), sealed.size(), MSG_NOSIGNAL) ==
             static_cast<ssize_t>(sealed.size());
    }));
    std::vector<char> bytes(2048);
    ssize_t got = -1;
    ASSERT_TRUE(wait_until([&] {
      got = ::recv(socket.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
      return got > 0;
    })) << home_->status_json();
    bytes.resize(static_cast<std::size_t>(got));
    const auto reply = open_sealed(view(bytes), probe_.key);
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->leg, Leg::reply);
  }
  ASSERT_TRUE(wait_until([&] { return counter("seen_twice") == 2; })) << home_->status_json();
  const auto seen = observations();
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[0].receiver, "tcp");
  EXPECT_EQ(seen[0].destination_port, 8443);
  EXPECT_EQ(seen[0].ttl, 64);
  EXPECT_EQ(seen[1].destination, kHome6);
  EXPECT_EQ(seen[1].ttl, 64);
}

TEST_F(HomeOnTheKernel, LeavesPortsThatAreInUse) {
  open_home();
  if (IsSkipped()) return;
  const Fd used(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto address = to_socket_address(kHome4, 5353);
  ASSERT_EQ(::bind(used.get(), reinterpret_cast<const sockaddr*>(&address), size_of(address)), 0);
  const Fd socket = outside_socket(AF_INET, SOCK_DGRAM);
  char byte = 0;
  ASSERT_TRUE(wait_until([&] {
    send_datagram(socket, kHome4, 5353, as_bytes("hello"));
    return ::recv(used.get(), &byte, 1, MSG_DONTWAIT) == 1;
  }));
  EXPECT_EQ(byte, 'h');
}

TEST_F(HomeOnTheKernel, LeavesDatagramsToClientsAndAnswersTheirPingsFromTheSniffer) {
  open_home();
  if (IsSkipped()) return;
  const Fd socket = outside_socket(AF_INET, SOCK_DGRAM);
  // A client of this machine that asked just now: unconnected, and answered from a high port.
  const Fd client(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const std::uint16_t port = read_client_ports().last;
  const auto address = to_socket_address(kHome4, port);
  ASSERT_EQ(::bind(client.get(), reinterpret_cast<const sockaddr*>(&address), size_of(address)), 0);
  send_datagram(socket, kHome4, port, as_bytes("answer"));
  char byte = 0;
  ASSERT_TRUE(wait_until([&] { return ::recv(client.get(), &byte, 1, 0) == 1; }));
  send_datagram(socket, kHome4, static_cast<std::uint16_t>(port - 1),
                probe_.sealed(probe_.ping(MethodId::udp_port)));
  ASSERT_TRUE(wait_until([&] { return counter("answers") == 1; })) << home_->status_json();
  EXPECT_EQ(observations().at(0).receiver, "sniffer");
}

TEST_F(HomeOnTheKernel, AnswersAnEchoItselfAndKeepsTheKernelFromIt) {
  open_home();
  if (IsSkipped()) return;
  Fd listener = outside_socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK, IPPROTO_ICMP);
  const Ping ping = probe_.ping(MethodId::icmp, kHome4, 0);
  send_packet(ip(kProbe4, kHome4, kProtocolIcmp, icmp(8, 0, 0x12340001, probe_.sealed(ping)), 63));
  const auto answer = answer_of(listener);
  ASSERT_TRUE(answer) << home_->status_json();
  const auto found = find_ping(view(answer->first));
  ASSERT_TRUE(found);
  const auto reply = open_sealed(found->sealed, probe_.key);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->leg, Leg::reply);  // the kernel's would have come first, and be outbound
  // An ordinary echo is the kernel's as ever.
  send_packet(ip(kProbe4, kHome4, kProtocolIcmp, icmp(8, 0, 7, as_bytes("0123456789abcdef"))));
  const auto ordinary = answer_of(listener);
  ASSERT_TRUE(ordinary);
  EXPECT_EQ(std::string(ordinary->first.end() - 16, ordinary->first.end()), "0123456789abcdef");
  const auto seen = observations();
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0].ttl, 63);
  EXPECT_EQ(seen[0].receiver, "sniffer");
}

TEST_F(HomeOnTheKernel, SniffsWhatReachesNoSocket) {
  open_home();
  if (IsSkipped()) return;
  const auto sealed = [&](MethodId method) { return probe_.sealed(probe_.ping(method)); };
  const TcpHeader rst{1234, 80, 1, 0, kTcpRst, 0, {}};
  send_packet(
      ip(kProbe4, kHome4, kProtocolTcp, tcp(kProbe4, kHome4, rst, sealed(MethodId::tcp_rst))));
  send_packet(ip(kProbe4, kHome4, 253, sealed(MethodId::ip_proto)));
  send_packet(ip(kProbe6, kHome6, 253, sealed(MethodId::ip_proto)));
  Ipv4Header later;
  later.source = kProbe4;
  later.destination = kHome4;
  later.protocol = kProtocolUdp;
  later.fragment_offset = 10;
  send_packet(ipv4(later, sealed(MethodId::fragment)));
  send_packet(
      ip(kProbe4, kHome4, 136, udp_lite(kProbe4, kHome4, 1000, 2000, sealed(MethodId::udp_lite))));
  const std::string line = "<13>Nov 22 04:00:00 cell: " + ping_text(sealed(MethodId::syslog));
  send_packet(ip(kProbe4, kHome4, kProtocolUdp, udp(kProbe4, kHome4, 5000, 514, as_bytes(line))));
  ASSERT_TRUE(wait_until([&] { return counter("observations") == 6; })) << home_->status_json();
  std::map<MethodId, Observation> seen;
  for (const Observation& one : observations())
    seen[one.ping.method] = one;
  ASSERT_EQ(seen.size(), 5U);
  EXPECT_EQ(seen[MethodId::tcp_rst].destination_port, 80);
  EXPECT_EQ(seen[MethodId::ip_proto].protocol, 253);
  EXPECT_EQ(seen[MethodId::fragment].protocol, kProtocolUdp);
  EXPECT_EQ(seen[MethodId::udp_lite].protocol, 136);
  EXPECT_EQ(seen[MethodId::syslog].carrier, Carrier::text);
}

TEST_F(HomeOnTheKernel, ReadsBounceTokensOutOfWhatANeighbourAnswers) {
  open_home();
  if (IsSkipped()) return;
  const auto hour = std::chrono::floor<std::chrono::hours>(system_now()).time_since_epoch().count();
  // No SYN holds the token of a packet that was to exceed its time: this comes by chance.
  const BounceToken exceeded = bounce_token(probe_.key, hour, BounceForm::time_exceeded, 50);
  const TcpHeader chance{80, exceeded.half, 7, exceeded.word + 1, kTcpSyn | kTcpAck, 64'240, {}};
  send_packet(ip(kProbe4, kHome4, kProtocolTcp, tcp(kProbe4, kHome4, chance, {})));
  // A neighbour's SYN-ACK to a SYN that bore home's address.
  const BounceToken syn = bounce_token(probe_.key, hour, BounceForm::syn, 50);
  const TcpHeader answer{80, syn.half, 7, syn.word + 1, kTcpSyn | kTcpAck, 64'240, {}};
  send_packet(ip(kProbe4, kHome4, kProtocolTcp, tcp(kProbe4, kHome4, answer, {})));
  // Its complaint about a closed port.
  const BounceToken closed = bounce_token(probe_.key, hour, BounceForm::closed_port, 50);
  const Bytes quoted = ip(kHome4, kProbe4, kProtocolUdp,
                          udp(kHome4, kProbe4, static_cast<std::uint16_t>(closed.word >> 16),
                              static_cast<std::uint16_t>(closed.word), {}),
                          64, closed.half);
  send_packet(ip(kProbe4, kHome4, kProtocolIcmp, icmp(3, 3, 0, quoted)));
  ASSERT_TRUE(wait_until([&] { return counter("tokens") == 2; })) << home_->status_json();
  const auto seen = observations();
  ASSERT_EQ(seen.size(), 2U);
  for (const Observation& one : seen) {
    EXPECT_EQ(one.authenticity, Authenticity::token);
    EXPECT_EQ(one.ping.probe, probe_.keys.id());
    EXPECT_EQ(one.ping.method, MethodId::spoof_bounce);
    EXPECT_EQ(one.ping.via, *IpAddress::parse("0.0.0.50"));
  }
  EXPECT_EQ(seen[0].carrier, Carrier::syn_answer);
  EXPECT_EQ(seen[1].carrier, Carrier::quoted);
}

TEST_F(HomeOnTheKernel, TakesATokenForWhatItWasSentAsAlone) {
  open_home();
  if (IsSkipped()) return;
  const auto hour = std::chrono::floor<std::chrono::hours>(system_now()).time_since_epoch().count();
  const auto bounce = [&](BounceForm form, BounceForm sent_as, Carrier carrier) {
    Observation seen;
    seen.receiver = "sniffer";
    seen.source = kProbe4;
    seen.carrier = carrier;
    home_->bounced(bounce_token(probe_.key, hour, form, 50), sent_as, seen);
  };
  bounce(BounceForm::echo, BounceForm::syn, Carrier::syn_answer);
  bounce(BounceForm::time_exceeded, BounceForm::syn, Carrier::syn_answer);
  bounce(BounceForm::syn, BounceForm::closed_port, Carrier::quoted);
  EXPECT_EQ(counter("tokens_misfit"), 3U);
  EXPECT_EQ(counter("tokens"), 0U);
  bounce(BounceForm::syn, BounceForm::syn, Carrier::quoted);  // refused on its way
  bounce(BounceForm::time_exceeded, BounceForm::closed_port, Carrier::quoted);
  bounce(BounceForm::time_exceeded, BounceForm::syn, Carrier::quoted);
  bounce(BounceForm::time_exceeded, BounceForm::echo, Carrier::quoted);
  const auto seen = observations();
  ASSERT_EQ(seen.size(), 4U);
  EXPECT_EQ(seen[0].ping.method, MethodId::spoof_bounce);
  for (std::uint8_t variant = 0; variant < 3; ++variant) {
    EXPECT_EQ(seen[1U + variant].ping.method, MethodId::spoof_ttl);
    EXPECT_EQ(seen[1U + variant].ping.variant, variant);
  }
}

TEST_F(HomeOnTheKernel, AnswersNothingToWhatIsForgedReplayedRetiredOrOld) {
  open_home();
  if (IsSkipped()) return;
  const Fd socket = outside_socket(AF_INET, SOCK_DGRAM);
  const Ping first = probe_.ping(MethodId::udp_port);
  const Bytes sealed = probe_.sealed(first);
  send_datagram(socket, kHome4, 443, sealed);
  ASSERT_TRUE(answer_of(socket));
  send_datagram(socket, kHome4, 443, sealed);  // replayed
  Bytes spoilt = probe_.sealed(probe_.ping(MethodId::udp_port));
  spoilt.back() ^= 1;
  send_datagram(socket, kHome4, 443, spoilt);
  Ping old = probe_.ping(MethodId::udp_port);
  old.sent -= std::chrono::hours{1};
  send_datagram(socket, kHome4, 443, probe_.sealed(old));
  TestProbe stranger(keys_);
  send_datagram(socket, kHome4, 443, stranger.sealed(stranger.ping(MethodId::udp_port)));
  ASSERT_TRUE(wait_until([&] { return counter("observations") == 5; })) << home_->status_json();
  KnownProbe retired = probe_.known();
  retired.retired = true;
  ASSERT_TRUE(home_->set_probes({retired}));
  send_datagram(socket, kHome4, 443, probe_.sealed(probe_.ping(MethodId::udp_port)));
  ASSERT_TRUE(wait_until([&] { return counter("retired") == 1; }));
  ASSERT_TRUE(wait_until([&] { return counter("seen_twice") == 6; })) << home_->status_json();
  char byte;
  EXPECT_LT(::recv(socket.get(), &byte, 1, MSG_DONTWAIT), 0);
  EXPECT_EQ(counter("answers"), 1U);
  EXPECT_EQ(counter("unknown_key"), 2U);
  EXPECT_EQ(counter("repeats"), 1U);
  const auto seen = observations();
  ASSERT_EQ(seen.size(), 6U);
  EXPECT_TRUE(seen.back().retired);
}

TEST_F(HomeOnTheKernel, AnswersAPingWhoseCopyCameBeforeItsSocketWasRead) {
  open_home();
  if (IsSkipped()) return;
  const Bytes sealed = probe_.sealed(probe_.ping(MethodId::udp_port));
  unsigned answers = 0;
  for (const char* receiver : {"sniffer", "sniffer", "udp", "udp"}) {
    Observation seen;
    seen.receiver = receiver;
    seen.protocol = kProtocolUdp;
    seen.source = kProbe4;
    seen.destination = kHome4;
    seen.destination_port = 443;
    answers += home_->found(sealed, seen) ? 1 : 0;
  }
  EXPECT_EQ(answers, 1U);
  EXPECT_EQ(counter("repeats"), 1U);
  const auto seen = observations();
  ASSERT_EQ(seen.size(), 2U);
}

TEST_F(HomeOnTheKernel, AnswersNothingThatItCouldNotKeep) {
  open_home();
  if (IsSkipped()) return;
  std::uint64_t heard = 0;
  const auto hear = [&] {
    ++heard;
    Observation seen;
    seen.receiver = "udp";
    seen.protocol = kProtocolUdp;
    seen.source = kProbe4;
    seen.destination = kHome4;
    return home_->found(probe_.sealed(probe_.ping(MethodId::udp_port)), seen).has_value();
  };
  ASSERT_TRUE(hear());
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  ::signal(SIGXFSZ, SIG_IGN);
  const rlimit none{0, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &none), 0);
  std::uint64_t answers = 0;
  while (counter("observations_lost") < 3 && counter("observations") < 100'000)
    answers += hear() ? 1 : 0;
  EXPECT_EQ(answers, 0U);
  const std::uint64_t batches = counter("batches");
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  // Once it is due the spool takes again, and no sooner is anything answered.
  ASSERT_TRUE(wait_until([&] {
    const bool answered = hear();
    EXPECT_TRUE(!answered || counter("batches") > batches);
    return answered;
  }));
  EXPECT_EQ(counter("observations") + counter("observations_lost"), heard);
}

TEST_F(HomeOnTheKernel, TakesItsOwnPositiveControlForInjected) {
  open_home();
  if (IsSkipped()) return;
  ASSERT_TRUE(home_->inject_control(probe_.keys.id()));
  ASSERT_TRUE(wait_until([&] { return counter("observations") == 1; }));
  const auto seen = observations();
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0].carrier, Carrier::injected);
  EXPECT_EQ(seen[0].authenticity, Authenticity::authentic);
  EXPECT_EQ(seen[0].ping.method, MethodId::control);
  EXPECT_EQ(counter("answers"), 0U);
  EXPECT_FALSE(home_->inject_control(ProbeId{7}));
}

TEST_F(HomeOnTheKernel, InjectsNoControlWhileAReceiverIsNotThere) {
  open_home();  // skips where this machine lacks something else
  if (IsSkipped()) return;
  home_.reset();
  Home::Options options;
  options.settings.zone = "t.example.org";  // and no address that its server could name
  options.clock = system_now;
  home_ = std::move(Home::open(std::move(options), keys_, *spool_).value());
  ASSERT_TRUE(home_->set_probes({probe_.known()}));
  const auto injected = home_->inject_control(probe_.keys.id());
  ASSERT_FALSE(injected) << home_->status_json();
  EXPECT_THAT(injected.error().message(), HasSubstr("dns"));
}

TEST_F(HomeOnTheKernel, AnswersGarbageWithNothing) {
  HomeSettings settings;
  open_home(settings);
  if (IsSkipped()) return;
  Fd watcher = outside_socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK);
  outside([&] {
    sockaddr_ll at{};
    at.sll_family = AF_PACKET;
    at.sll_protocol = htons(0x0800);
    at.sll_ifindex = static_cast<int>(::if_nametoindex("vb"));
    ASSERT_EQ(::bind(watcher.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at), 0);
  });
  const Bytes sealed = probe_.sealed(probe_.ping(MethodId::udp_port));
  std::uint32_t random = 1;
  const auto next = [&] { return random = random * 1'664'525 + 1'013'904'223; };
  const auto datagram = [&](std::uint16_t port, ByteView payload) {
    return ip(kProbe4, kHome4, kProtocolUdp, udp(kProbe4, kHome4, 4000, port, payload));
  };
  const auto segment = [&](std::uint8_t flags, ByteView payload) {
    const TcpHeader header{
        443, static_cast<std::uint16_t>(next() >> 16 | 1), next(), next(), flags, 64'240, {}};
    return ip(kProbe4, kHome4, kProtocolTcp, tcp(kProbe4, kHome4, header, payload));
  };
  // BEACONRY_FLOOD=1000000 for more.
  const char* const wanted = std::getenv("BEACONRY_FLOOD");
  const std::uint64_t packets = wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : 100'000;
  constexpr unsigned kKinds = 7;
  for (std::uint64_t i = 0; i < packets; ++i) {
    Bytes payload = sealed;
    payload.resize(1 + next() % payload.size());
    for (int flips = 0; flips < 3; ++flips)
      payload[next() % payload.size()] ^= static_cast<std::uint8_t>(next() >> 24);
    const bool is_garbage = i % 2 == 0;
    if (is_garbage) {
      for (auto& byte : payload)
        byte = static_cast<std::uint8_t>(next() >> 24);
    }
    if (payload == sealed) continue;
    const auto low_port = static_cast<std::uint16_t>((next() >> 17) | 1);  // taken by home
    switch (i % kKinds) {
      case 0:
        send_packet(segment(kTcpSyn | kTcpAck, {}));
        break;
      case 1:
        send_packet(segment(kTcpRst | kTcpAck, payload));
        break;
      case 2:
        send_packet(
            ip(kProbe4, kHome4, kProtocolIcmp,
               icmp(i % 4 < 2 ? 3 : 11, 0, 0,
                    ip(kHome4, kProbe4, kProtocolUdp, udp(kHome4, kProbe4, low_port, 53, payload),
                       64, static_cast<std::uint16_t>(next() >> 16)))));
        break;
      case 3:
        send_packet(datagram(53, payload));
        break;
      case 4:  // the head of a TLS record
        payload.insert(payload.begin(), {22, 3, 1, 0, 90, 1});
        send_packet(segment(kTcpAck, payload));
        break;
      default:
        send_packet(datagram(low_port, payload));
    }
    if (i % 256 == 0) home_->work();
  }
  ASSERT_TRUE(wait_until(
      [&] { return counter("packets", "sniffer") + counter("ring_drops", "sniffer") >= packets; }));
  EXPECT_EQ(counter("authentic"), 0U);
  EXPECT_EQ(counter("tokens"), 0U);
  EXPECT_EQ(counter("answers"), 0U);
  for (const Observation& one : observations())
    EXPECT_EQ(one.authenticity, Authenticity::unknown_key);
  // Any machine resets segments of connections that it does not know.
  std::uint64_t answered = 0;
  sockaddr_ll from{};
  socklen_t size = sizeof from;
  std::array<std::uint8_t, 64> head{};
  for (;;) {
    const ssize_t got = ::recvfrom(watcher.get(), head.data(), head.size(), MSG_DONTWAIT,
                                   reinterpret_cast<sockaddr*>(&from), &size);
    if (got < 0) break;
    const bool is_reset = got >= 40 && head[9] == kProtocolTcp && (head[33] & kTcpRst) != 0;
    if (from.sll_pkttype != PACKET_OUTGOING && !is_reset) ++answered;
  }
  EXPECT_EQ(answered, 0U);
}

}  // namespace
}  // namespace beaconry::test_home
