// Home asked by name: DNS, TLS hellos and HTTP requests, over a veth pair, beside all its other
// receivers.
#include "home/test_network.h"
#include "packet/test_messages.h"

namespace beaconry::test_home {
namespace {

constexpr const char* kZone = "z.example.net";

class HomeByName : public HomeNetwork {
 protected:
  void open_with_zone() {
    HomeSettings settings;
    settings.zone = kZone;
    settings.addresses = {kHome4, kHome6};
    open_home(std::move(settings));
  }
  Bytes question(const Ping& ping, std::uint16_t type) {
    return test_messages::dns_query(*ping_name(probe_.sealed(ping), kZone), type);
  }
  // What comes back at a connected socket.
  Bytes answer_at(const Fd& socket) {
    Bytes bytes(4096);
    ssize_t got = -1;
    EXPECT_TRUE(wait_until([&] {
      got = ::recv(socket.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
      return got > 0;
    })) << home_->status_json();
    bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    return bytes;
  }
  Fd connected(const IpAddress& to, std::uint16_t port, int type) {
    Fd socket = outside_socket(to.is_v4() ? AF_INET : AF_INET6, type | SOCK_NONBLOCK);
    const auto address = to_socket_address(to, port);
    ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), size_of(address));
    return socket;
  }
  void say(const Fd& socket, const Bytes& bytes) {
    ASSERT_TRUE(wait_until([&] {
      return ::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
             static_cast<ssize_t>(bytes.size());
    }));
  }
  std::optional<Ping> reply_in(ByteView bytes) {
    const auto found = find_ping(bytes);
    if (!found) return std::nullopt;
    const auto opened = open_sealed(found->sealed, probe_.key);
    return opened ? std::optional<Ping>(*opened) : std::nullopt;
  }
};

TEST_F(HomeByName, AnswersQuestionsOverBothFamiliesOnce) {
  open_with_zone();
  if (IsSkipped()) return;
  std::uint64_t asked = 0;
  for (const IpAddress& to : {kHome4, kHome6}) {
    const Fd socket = connected(to, 53, SOCK_DGRAM);
    const Bytes text = question(probe_.ping(MethodId::dns, to, 53), 16);
    say(socket, text);
    const Bytes answer = answer_at(socket);
    ASSERT_GT(answer.size(), text.size());
    const auto reply = reply_in(ByteView(answer).subspan(text.size()));
    ASSERT_TRUE(reply.has_value());
    EXPECT_EQ(reply->leg, Leg::reply);
    EXPECT_EQ(reply->sequence, probe_.sequence);
    ++asked;
    ASSERT_TRUE(wait_until([&] { return counter("seen_twice") == asked; })) << home_->status_json();
  }
  const auto seen = observations();
  ASSERT_EQ(seen.size(), 2U) << "the sniffer saw each, too";
  EXPECT_EQ(seen[0].receiver, "dns");
  EXPECT_EQ(seen[0].carrier, Carrier::dns_question);
  EXPECT_EQ(seen[0].source, kProbe4);
  EXPECT_EQ(seen[0].destination, kHome4);
  EXPECT_EQ(seen[0].destination_port, 53);
  EXPECT_EQ(seen[0].ttl, 64);
  EXPECT_EQ(seen[1].destination, kHome6);
  EXPECT_EQ(seen[1].ttl, 64);
  EXPECT_EQ(counter("answers"), 2U);
}

TEST_F(HomeByName, ProvesItselfInAHelloAndInAPage) {
  open_with_zone();
  if (IsSkipped()) return;
  const Bytes sealed = probe_.sealed(probe_.ping(MethodId::tls_hello));
  const Fd tls = connected(kHome4, 4433, SOCK_STREAM);
  say(tls, test_messages::client_hello(*ping_name(sealed, kZone)));
  const Bytes hello = answer_at(tls);
  ASSERT_GE(hello.size(), 43U);
  const ReplyProof proof = reply_proof(probe_.key, nonce_in(sealed));
  EXPECT_TRUE(std::equal(proof.begin(), proof.end(), hello.begin() + 11));

  const Fd http = connected(kHome6, 8080, SOCK_STREAM);
  const std::string text = ping_text(probe_.sealed(probe_.ping(MethodId::http_proxy)));
  say(http, test_messages::bytes_of("GET /" + text + " HTTP/1.1\r\nHost: home\r\n\r\n"));
  const auto reply = reply_in(answer_at(http));
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(reply->leg, Leg::reply);
  ASSERT_TRUE(wait_until([&] { return counter("observations") == 2; })) << home_->status_json();
  const auto seen = observations();
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[0].receiver, "tls");
  EXPECT_EQ(seen[0].carrier, Carrier::server_name);
  EXPECT_EQ(seen[0].destination_port, 4433);
  EXPECT_EQ(seen[1].receiver, "http");
  EXPECT_EQ(seen[1].carrier, Carrier::http);
}

TEST_F(HomeByName, SaysNothingThatHelpsToAStranger) {
  open_with_zone();
  if (IsSkipped()) return;
  const TestProbe stranger(keys_);
  const Bytes sealed = stranger.sealed(TestProbe(keys_).ping(MethodId::dns));
  const Fd socket = connected(kHome4, 53, SOCK_DGRAM);
  const Bytes asked = test_messages::dns_query(*ping_name(sealed, kZone), 16);
  say(socket, asked);
  const Bytes answer = answer_at(socket);
  EXPECT_LE(answer.size(), asked.size() + 50);
  EXPECT_FALSE(find_ping(ByteView(answer).subspan(asked.size())).has_value());
  const auto seen = observations();
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0].authenticity, Authenticity::unknown_key);
  EXPECT_EQ(counter("answers"), 0U);
}

}  // namespace
}  // namespace beaconry::test_home
