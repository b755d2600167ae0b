#include "escape/stack/tcp_client.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace beaconry {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

IpAddress at(std::string_view text) {
  return *IpAddress::parse(text);
}
Bytes text(std::string_view words) {
  return Bytes(words.begin(), words.end());
}

constexpr std::uint32_t kIsn = 0xfffffff0, kTheirs = 0x7fffffff;  // ours wraps soon
constexpr std::uint8_t kPush = 8;

// The other side, by hand.
class TcpClientTest : public testing::Test, public TcpClient::User {
 protected:
  struct Segment {
    std::uint32_t sequence, acknowledgement;
    std::uint8_t flags;
    std::string data;
  };
  void tcp_packet(Bytes packet) override {
    const Bytes bytes = ethernet({}, {}, kEtherIpv4, packet);
    const auto frame = read_frame(bytes);
    ASSERT_TRUE(frame && frame->kind == Frame::Kind::ip);
    sent.push_back({parse_be32(frame->transport.data() + 4),
                    parse_be32(frame->transport.data() + 8), frame->tcp_flags,
                    std::string(as_text(frame->payload))});
  }
  void tcp_connected() override {
    ++connected;
    if (on_connected) on_connected();
  }
  void tcp_received(ByteView stream) override { received += as_text(stream); }
  void tcp_closed(std::string_view why) override { closed.emplace_back(why); }

  void hear(std::uint8_t flags, std::uint32_t sequence, std::uint32_t acknowledgement,
            std::string_view data = {}, std::uint16_t window = 65'000,
            std::optional<std::uint16_t> mss = {}) {
    TcpHeader header;
    header.source_port = 443;
    header.destination_port = 50'000;
    header.sequence = sequence;
    header.acknowledgement = acknowledgement;
    header.flags = flags;
    header.window = window;
    header.most_segment = mss;
    const Bytes bytes = ethernet(
        {}, {}, kEtherIpv4, ip(server, ours, kProtocolTcp, tcp(server, ours, header, text(data))));
    const auto frame = read_frame(bytes);
    ASSERT_TRUE(client.is_for_us(*frame));
    client.heard(*frame);
    client.poll(now, false);
  }
  void connect() {
    client.poll(now, false);
    hear(kTcpSyn | kTcpAck, kTheirs, kIsn + 1, {}, 65'000, 1000);
  }

  const IpAddress ours = at("10.0.1.9"), server = at("203.0.113.10");
  Timestamp now{seconds{1'795'000'000}};
  std::vector<Segment> sent;
  std::vector<std::string> closed;
  std::string received;
  int connected = 0;
  std::function<void()> on_connected;
  TcpClient client{*this, {ours, server, 50'000, 443}, kIsn, 1460};
};

TEST_F(TcpClientTest, TheFirstDataCarriesTheThirdStepOfTheHandshake) {
  on_connected = [&] { client.write(text("ping")); };
  connect();
  ASSERT_EQ(sent.size(), 2U);
  EXPECT_EQ(sent[0].flags, kTcpSyn);
  EXPECT_EQ(sent[0].sequence, kIsn);
  EXPECT_EQ(sent[1].flags & kTcpAck, kTcpAck);
  EXPECT_EQ(sent[1].acknowledgement, kTheirs + 1);
  EXPECT_EQ(sent[1].data, "ping");
  hear(kTcpAck | kPush, kTheirs + 1, kIsn + 5, "pong");
  EXPECT_EQ(received, "pong");
  EXPECT_EQ(sent.back().acknowledgement, kTheirs + 5);
}

TEST_F(TcpClientTest, ClosesInBothDirections) {
  on_connected = [&] {
    client.write(text("ping"));
    client.close();
  };
  connect();
  EXPECT_EQ(sent.back().flags, kTcpAck | kPush | kTcpFin);
  hear(kTcpAck | kTcpFin, kTheirs + 1, kIsn + 6);
  EXPECT_EQ(closed, std::vector<std::string>{"closed by the other side"});
  EXPECT_EQ(sent.back().flags, kTcpAck);
  EXPECT_EQ(sent.back().acknowledgement, kTheirs + 2);
  EXPECT_TRUE(client.is_over());
}

TEST_F(TcpClientTest, ASynIsRepeatedTwiceAndNoMore) {
  client.poll(now, false);
  for (int i = 0; i < 100; ++i) {
    now += milliseconds{250};
    client.poll(now, false);
  }
  EXPECT_EQ(sent.size(), 3U);
  EXPECT_EQ(closed, std::vector<std::string>{"no answer"});
  EXPECT_TRUE(client.is_over());
}

TEST_F(TcpClientTest, NoTimeCountsWhileTheBudgetHoldsAPacketBack) {
  client.poll(now, false);
  for (int i = 0; i < 100; ++i) {
    now += seconds{10};
    client.poll(now, true);
  }
  EXPECT_EQ(sent.size(), 1U);
  client.poll(now, false);
  now += milliseconds{1001};
  client.poll(now, false);
  EXPECT_EQ(sent.size(), 2U);
}

TEST_F(TcpClientTest, LostDataIsSentAgainFromTheOldestByte) {
  connect();
  client.write(text("abcd"));
  client.poll(now, false);
  const std::size_t before = sent.size();
  client.poll(now, false);
  now += milliseconds{1001};
  client.poll(now, false);
  ASSERT_EQ(sent.size(), before + 1);
  EXPECT_EQ(sent.back().data, "abcd");
  EXPECT_EQ(sent.back().sequence, kIsn + 1);
  hear(kTcpAck, kTheirs + 1, kIsn + 3);
  client.poll(now, false);
  now += milliseconds{1001};
  client.poll(now, false);
  EXPECT_EQ(sent.back().data, "cd");
}

TEST_F(TcpClientTest, TakesDataInOrderOnlyAndOnce) {
  connect();
  hear(kTcpAck, kTheirs + 4, kIsn + 1, "def");
  EXPECT_EQ(received, "");
  hear(kTcpAck, kTheirs + 1, kIsn + 1, "abc");
  hear(kTcpAck, kTheirs + 1, kIsn + 1, "abcdef");
  hear(kTcpAck, kTheirs + 4, kIsn + 1, "def");
  EXPECT_EQ(received, "abcdef");
  EXPECT_EQ(sent.back().acknowledgement, kTheirs + 7);
}

TEST_F(TcpClientTest, ARefusalAndAResetEndIt) {
  client.poll(now, false);
  hear(kTcpRst | kTcpAck, 0, kIsn + 1);
  EXPECT_EQ(closed, std::vector<std::string>{"refused"});
}

TEST_F(TcpClientTest, AResetThatGuessesTheNumberIsIgnored) {
  connect();
  hear(kTcpRst, kTheirs + 100, 0);
  EXPECT_TRUE(closed.empty());
  hear(kTcpRst, kTheirs + 1, 0);
  EXPECT_EQ(closed, std::vector<std::string>{"reset"});
}

TEST_F(TcpClientTest, ForeignAnswersToASynAreIgnored) {
  client.poll(now, false);
  hear(kTcpSyn | kTcpAck, kTheirs, kIsn + 2);
  hear(kTcpRst | kTcpAck, 0, kIsn);
  EXPECT_EQ(connected, 0);
  EXPECT_TRUE(closed.empty());
}

TEST_F(TcpClientTest, KeepsToTheOthersSegmentSizeAndWindow) {
  client.poll(now, false);
  hear(kTcpSyn | kTcpAck, kTheirs, kIsn + 1, {}, 150, 100);
  sent.clear();
  EXPECT_TRUE(client.write(Bytes(400, 'x')));
  client.poll(now, false);
  ASSERT_EQ(sent.size(), 2U);
  EXPECT_EQ(sent[0].data.size(), 100U);
  EXPECT_EQ(sent[1].data.size(), 50U);
  hear(kTcpAck, kTheirs + 1, kIsn + 151, {}, 1000);
  EXPECT_EQ(sent.size(), 5U);
}

TEST_F(TcpClientTest, IsBoundedBothWays) {
  connect();
  EXPECT_FALSE(client.write(Bytes(TcpClient::kMostUnsent + 1, 'x')));
  std::uint32_t sequence = kTheirs + 1;
  for (std::size_t i = 0; i <= TcpClient::kMostReceived / 1000 && closed.empty(); ++i) {
    hear(kTcpAck, sequence, kIsn + 1, std::string(1000, 'y'));
    sequence += 1000;
  }
  EXPECT_EQ(closed, std::vector<std::string>{"it sent more than is taken"});
  EXPECT_EQ(sent.back().flags & kTcpRst, kTcpRst);
  EXPECT_LE(received.size(), TcpClient::kMostReceived);
}

}  // namespace
}  // namespace beaconry
