#include "home/first_bytes.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "packet/test_messages.h"
#include "ping/test_pings.h"

namespace beaconry {
namespace {

using test_messages::bytes_of;
using test_messages::client_hello;

const SharedKey& key() {
  static const SharedKey shared = *SharedKey::make(party(1), party(9).box_public());
  return shared;
}
const Bytes& sealed() {
  static const Bytes bytes = seal(sample_ping(), key());
  return bytes;
}
std::string name() {
  return *ping_name(sealed(), "z.example.net");
}

std::vector<Bytes> requests() {
  const std::string text = ping_text(sealed());
  return {
      bytes_of("GET /" + text + " HTTP/1.1\r\nHost: 203.0.113.10\r\n\r\n"),
      bytes_of("GET http://203.0.113.10/a?q=" + text + "&b=1 HTTP/1.1\r\n\r\n"),
      bytes_of("CONNECT " + name() + ":443 HTTP/1.1\r\nHost: x\r\n\r\n"),
      bytes_of("GET / HTTP/1.1\r\nHost: " + name() + "\r\n\r\n"),
      bytes_of("POST /" + text + " HTTP/1.0\r\n\r\n"),
      bytes_of("POST / HTTP/1.0\r\nContent-Length: 146\r\n\r\n" + text),
  };
}

TEST(Stream, FindsABarePingAndWhereTheNextBegins) {
  Bytes stream = bytes_of("PROXY TCP4 10.0.1.2 203.0.113.10 40000 443\r\n");
  const std::size_t before = stream.size();
  stream.insert(stream.end(), sealed().begin(), sealed().end());
  const std::size_t end = stream.size();
  stream.insert(stream.end(), sealed().begin(), sealed().end());
  const StreamFind first = read_stream(stream);
  ASSERT_EQ(first.kind, StreamKind::ping);
  EXPECT_EQ(first.sealed, sealed());
  EXPECT_EQ(first.receiver, "tcp");
  EXPECT_EQ(first.carrier, Carrier::payload);
  EXPECT_EQ(first.used, end);
  const StreamFind second = read_stream(ByteView(stream).subspan(first.used));
  EXPECT_EQ(second.kind, StreamKind::ping);
  EXPECT_EQ(second.used, end - before);
}

TEST(Stream, FindsTextThatIsNoRequest) {
  const StreamFind find = read_stream(bytes_of("<13>probe: " + ping_text(sealed()) + "\n"));
  ASSERT_EQ(find.kind, StreamKind::ping);
  EXPECT_EQ(find.carrier, Carrier::text);
  EXPECT_EQ(find.sealed, sealed());
}

TEST(Stream, FindsTheServerNameOfAHello) {
  const StreamFind find = read_stream(client_hello(name()));
  ASSERT_EQ(find.kind, StreamKind::tls);
  EXPECT_EQ(find.sealed, sealed());
  EXPECT_EQ(find.receiver, "tls");
  EXPECT_EQ(find.carrier, Carrier::server_name);
  const auto message = test_messages::client_hello_message(name());
  EXPECT_EQ(read_stream(test_messages::in_records(message, 50)).sealed, sealed()) << "in pieces";
}

TEST(Stream, FindsAPingInRequestsOfManyKinds) {
  for (const Bytes& request : requests()) {
    const StreamFind find = read_stream(request);
    ASSERT_EQ(find.kind, StreamKind::http) << as_text(request);
    EXPECT_EQ(find.sealed, sealed());
    EXPECT_EQ(find.receiver, "http");
    EXPECT_EQ(find.carrier, Carrier::http);
  }
}

TEST(Stream, WantsMoreOfWhateverIsCutBeforeItsPingEnds) {
  std::vector<Bytes> streams = requests();
  streams.push_back(sealed());
  streams.push_back(client_hello(name()));
  for (const Bytes& stream : streams) {
    bool is_found = false;
    for (std::size_t size = 0; size <= stream.size(); ++size) {
      const StreamFind find = read_stream(ByteView(stream).first(size));
      ASSERT_NE(find.kind, StreamKind::nothing) << size << " of " << as_text(stream);
      ASSERT_TRUE(!is_found || find.kind != StreamKind::needs_more) << size;
      is_found = is_found || find.kind != StreamKind::needs_more;
      ASSERT_EQ(find.sealed, is_found ? sealed() : Bytes{});
    }
    EXPECT_TRUE(is_found);
  }
}

TEST(Stream, KnowsWhatIsNothingOfOurs) {
  EXPECT_EQ(read_stream(client_hello("www.example.org")).kind, StreamKind::nothing);
  EXPECT_EQ(read_stream(bytes_of("GET / HTTP/1.1\r\nHost: a\r\n\r\n")).kind, StreamKind::nothing);
  EXPECT_EQ(read_stream(bytes_of("SSH-2.0-x\r\n")).kind, StreamKind::needs_more);
  EXPECT_EQ(read_stream(Bytes(kMostStream - 1, 'x')).kind, StreamKind::needs_more);
  EXPECT_EQ(read_stream(Bytes(kMostStream, 'x')).kind, StreamKind::nothing);
  Bytes late(kMostStream, 'x');  // a ping that begins beyond what is looked at
  late.insert(late.end(), sealed().begin(), sealed().end());
  EXPECT_EQ(read_stream(late).kind, StreamKind::nothing);
}

RC_GTEST_PROP(Stream, NeverMistakesWhatIsNone, ()) {
  const auto bytes = *rc::gen::container<Bytes>(rc::gen::arbitrary<std::uint8_t>());
  const StreamFind find = read_stream(bytes);
  RC_ASSERT(find.kind == StreamKind::needs_more || find.kind == StreamKind::nothing);
}

Answerable answerable() {
  Ping reply = sample_ping();
  reply.leg = Leg::reply;
  return {seal(reply, key()), reply_proof(key(), nonce_in(sealed()))};
}

TEST(StreamAnswer, IsTheReplyItselfToABarePing) {
  const Answerable answer = answerable();
  EXPECT_EQ(stream_answer(StreamKind::ping, answer), answer.reply);
  EXPECT_TRUE(stream_answer(StreamKind::nothing, answer).empty());
  EXPECT_TRUE(stream_answer(StreamKind::needs_more, answer).empty());
}

TEST(StreamAnswer, IsAServerHelloThatBeginsWithTheProofAndAnAlert) {
  const Answerable answer = answerable();
  const Bytes bytes = stream_answer(StreamKind::tls, answer);
  ByteCursor cursor(bytes);
  EXPECT_EQ(cursor.u8(), 22);  // a record of a handshake, RFC 5246 §6.2.1
  EXPECT_EQ(cursor.u16(), 0x0303);
  ByteCursor message(cursor.take(cursor.u16()));
  EXPECT_EQ(message.u8(), 2);  // ServerHello, §7.4.1.3
  const std::uint32_t length = message.u24();
  EXPECT_EQ(length, message.left());
  EXPECT_EQ(message.u16(), 0x0303);
  const ByteView random = message.take(32);
  EXPECT_TRUE(std::equal(answer.proof.begin(), answer.proof.end(), random.begin()));
  EXPECT_EQ(message.u8(), 0);  // no session
  message.u16();               // cipher suite
  EXPECT_EQ(message.u8(), 0);  // no compression
  EXPECT_TRUE(message.ok() && message.left() == 0);
  EXPECT_EQ(to_hex(cursor.rest()), "15030300020228");
  EXPECT_NE(stream_answer(StreamKind::tls, answerable()), bytes) << "its end is random";
}

TEST(StreamAnswer, IsAWholeHttpAnswer) {
  const Answerable answer = answerable();
  const Bytes bytes = stream_answer(StreamKind::http, answer);
  const std::string_view text = as_text(bytes);
  EXPECT_EQ(text.substr(0, 17), "HTTP/1.1 200 OK\r\n");
  const auto head = text.find("\r\n\r\n");
  ASSERT_NE(head, std::string_view::npos);
  const std::string length = "Content-Length: " + std::to_string(text.size() - head - 4) + "\r\n";
  EXPECT_NE(text.find(length), std::string_view::npos);
  EXPECT_EQ(find_ping(bytes)->sealed, answer.reply);
}

}  // namespace
}  // namespace beaconry
