// The DNS receiver on loopback, asked by UDP and TCP as resolvers ask.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "base/fd.h"
#include "home/socket_address.h"
#include "home/test_desk.h"
#include "packet/test_messages.h"

namespace beaconry {

namespace receivers {
extern const ReceiverKind dns;
}

namespace {

constexpr const char* kZone = "z.example.net";

class DnsReceiverTest : public testing::Test {
 protected:
  void SetUp() override {
    HomeSettings settings;
    settings.zone = kZone;
    settings.dns_port = 0;
    settings.addresses = {*IpAddress::parse("127.0.0.1")};
    auto opened = receivers::dns.open(settings);
    ASSERT_TRUE(opened.has_value()) << opened.error().message();
    receiver_ = std::move(*opened);
  }

  // Connected to the receiver's socket of this type.
  Fd connect(int type) {
    for (const int theirs : receiver_->descriptors()) {
      int its_type = 0;
      socklen_t size = sizeof its_type;
      ::getsockopt(theirs, SOL_SOCKET, SO_TYPE, &its_type, &size);
      if (its_type != type) continue;
      sockaddr_storage at{};
      size = sizeof at;
      ::getsockname(theirs, reinterpret_cast<sockaddr*>(&at), &size);
      Fd socket(::socket(at.ss_family, type | SOCK_CLOEXEC, 0));
      EXPECT_EQ(::connect(socket.get(), reinterpret_cast<sockaddr*>(&at), size), 0);
      return socket;
    }
    ADD_FAILURE() << "no such socket";
    return Fd();
  }

  // Works until something can be read there, or the connection is closed.
  Bytes answer_at(const Fd& socket) {
    for (int i = 0; i < 1000; ++i) {
      receiver_->work(desk_);
      pollfd wait{socket.get(), POLLIN, 0};
      if (::poll(&wait, 1, 10) != 1) continue;
      Bytes bytes(65'536);
      const ssize_t got = ::recv(socket.get(), bytes.data(), bytes.size(), 0);
      bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
      return bytes;
    }
    ADD_FAILURE() << "no answer";
    return {};
  }

  Bytes question(std::uint64_t sequence) {
    return test_messages::dns_query(*ping_name(desk_.sealed(sequence), kZone), 16);
  }
  static void send(const Fd& socket, ByteView bytes) {
    ASSERT_EQ(::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  static Bytes framed(const Bytes& message) {
    Bytes out{static_cast<std::uint8_t>(message.size() >> 8),
              static_cast<std::uint8_t>(message.size())};
    out.insert(out.end(), message.begin(), message.end());
    return out;
  }
  bool holds_reply(ByteView answer, std::size_t question_size) {
    const auto found = find_ping(answer.subspan(std::min(answer.size(), question_size)));
    return found && open_sealed(found->sealed, desk_.key).has_value();
  }
  std::uint64_t counter(std::string_view name) const {
    for (const Receiver::Counter& counter : receiver_->counters()) {
      if (counter.name == name) return counter.value;
    }
    ADD_FAILURE() << name;
    return 0;
  }

  TestDesk desk_;
  std::unique_ptr<Receiver> receiver_;
};

TEST_F(DnsReceiverTest, AnswersByUdpFromWhereItWasAsked) {
  const Fd socket = connect(SOCK_DGRAM);  // connected: takes answers from there alone
  const Bytes asked = question(1);
  send(socket, asked);
  EXPECT_TRUE(holds_reply(answer_at(socket), asked.size()));
  ASSERT_EQ(desk_.seen.size(), 1U);
  EXPECT_EQ(desk_.seen[0].destination.to_string(), "127.0.0.1");
  EXPECT_EQ(desk_.seen[0].protocol, 17);
  EXPECT_NE(desk_.seen[0].ttl, 0);
  EXPECT_NE(desk_.seen[0].source_port, 0);
  EXPECT_NE(desk_.seen[0].destination_port, 0);
  EXPECT_EQ(counter("questions"), 1U);
  EXPECT_EQ(counter("unsent"), 0U);
}

TEST_F(DnsReceiverTest, AnswersByTcpHoweverTheQuestionIsCut) {
  const Fd socket = connect(SOCK_STREAM);
  const Bytes asked = question(1);
  const Bytes stream = framed(asked);
  send(socket, ByteView(stream).first(1));
  receiver_->work(desk_);
  send(socket, ByteView(stream).subspan(1, 30));
  receiver_->work(desk_);
  send(socket, ByteView(stream).subspan(31));
  const Bytes answer = answer_at(socket);
  ASSERT_GT(answer.size(), 2U);
  EXPECT_EQ(std::size_t{answer[0]} << 8 | answer[1], answer.size() - 2);
  EXPECT_TRUE(holds_reply(answer, 2 + asked.size()));
  ASSERT_EQ(desk_.seen.size(), 1U);
  EXPECT_EQ(desk_.seen[0].protocol, 6);
  EXPECT_EQ(desk_.seen[0].source.to_string(), "127.0.0.1");

  const Bytes another = question(2);
  send(socket, framed(another));
  EXPECT_TRUE(holds_reply(answer_at(socket), 2 + another.size()))
      << "one connection, many questions";
}

TEST_F(DnsReceiverTest, ClosesWhoSendsGarbageOrNothing) {
  const Fd garbage = connect(SOCK_STREAM);
  send(garbage, Bytes(100, 0xff));
  EXPECT_TRUE(answer_at(garbage).empty());
  const Fd silent = connect(SOCK_STREAM);
  while (counter("connections") < 2)
    receiver_->work(desk_);
  EXPECT_EQ(counter("connections_open"), 1U);
  desk_.pass(std::chrono::seconds{6});
  EXPECT_TRUE(answer_at(silent).empty());
  EXPECT_EQ(counter("connections_open"), 0U);
}

TEST_F(DnsReceiverTest, TakesOnlySoManyConnectionsOfOneHost) {
  std::vector<Fd> sockets;
  for (int i = 0; i < 12; ++i)
    sockets.push_back(connect(SOCK_STREAM));
  while (counter("connections") + counter("connections_refused") < 12)
    receiver_->work(desk_);
  EXPECT_EQ(counter("connections_open"), 8U);
}

TEST(DnsReceiver, IsNotThereWithoutAZone) {
  const auto opened = receivers::dns.open(HomeSettings{});
  ASSERT_TRUE(opened.has_value());
  EXPECT_EQ(*opened, nullptr);
}

TEST(DnsReceiver, WaitsEverywhereWhereHomesAddressIsAnotherMachines) {
  HomeSettings settings;
  settings.zone = kZone;
  settings.dns_port = 0;
  settings.addresses = {*IpAddress::parse("192.0.2.1")};  // nobody's
  const auto opened = receivers::dns.open(settings);
  ASSERT_TRUE(opened.has_value()) << opened.error().message();
  sockaddr_storage at{};
  socklen_t size = sizeof at;
  ::getsockname((*opened)->descriptors().at(0), reinterpret_cast<sockaddr*>(&at), &size);
  EXPECT_TRUE(from_socket_address(at).first.is_unspecified());
}

TEST(DnsReceiver, SaysThatAPortIsTaken) {
  HomeSettings settings;
  settings.zone = kZone;
  settings.dns_port = 0;
  settings.addresses = {*IpAddress::parse("127.0.0.1")};
  const auto first = receivers::dns.open(settings);
  ASSERT_TRUE(first.has_value());
  sockaddr_storage at{};
  socklen_t size = sizeof at;
  ::getsockname((*first)->descriptors().at(0), reinterpret_cast<sockaddr*>(&at), &size);
  settings.dns_port = from_socket_address(at).second;
  const auto second = receivers::dns.open(settings);
  ASSERT_FALSE(second.has_value());
  EXPECT_NE(second.error().message().find("UDP port"), std::string::npos);
}

}  // namespace
}  // namespace beaconry
