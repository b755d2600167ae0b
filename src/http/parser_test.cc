#include "http/parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace beaconry {
namespace {

using testing::ElementsAre;
using testing::Pair;

HeadScan scan(std::string_view bytes) {
  std::size_t scanned = 0;
  return scan_head(bytes, scanned);
}

// The status that a head is refused with; 0: it is taken.
int refusal(const std::string& head) {
  const HeadScan found = scan(head);
  if (found.state == HeadScan::State::malformed) return 400;
  EXPECT_EQ(found.state, HeadScan::State::complete) << head;
  RequestParser parser;
  const auto bad = parser.take_head(std::string_view(head).substr(0, found.size));
  return bad ? bad->status : 0;
}

TEST(RequestParser, TakesWhatIsHttp) {
  for (const std::string head :
       {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET /a?b=c%20d HTTP/1.1\r\nHost: a:80\r\n\r\n",
        "GET / HTTP/1.1\r\nhOsT:[::1]:9090\r\n\r\n", "GET / HTTP/1.0\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "PURGE / HTTP/1.1\r\nHost: 10.0.0.1\r\n\r\n",
        "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nX:\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"})
    EXPECT_EQ(refusal(head), 0) << head;
}

// Each of these two programs could read differently: RFC 9112 §11.2, and what was used in attacks.
TEST(RequestParser, RefusesWhatCouldSmuggleARequest) {
  struct Case {
    int status;
    std::string fields;
  };
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  for (const Case& c : std::vector<Case>{{400, "Content-Length: 5\r\n" + chunked},
                                         {400, chunked + "Content-Length: 5\r\n"},
                                         {400, "Content-Length: 5\r\nContent-Length: 5\r\n"},
                                         {400, "Content-Length: 5\r\nContent-Length: 6\r\n"},
                                         {400, "Content-Length: 5, 5\r\n"},
                                         {400, "Content-Length: +5\r\n"},
                                         {400, "Content-Length: -5\r\n"},
                                         {400, "Content-Length: 0x5\r\n"},
                                         {400, "Content-Length: 5 5\r\n"},
                                         {400, "Content-Length: \r\n"},
                                         {400, "Content-Length: 99999999999999999999999\r\n"},
                                         {400, chunked + chunked},
                                         {501, "Transfer-Encoding: gzip, chunked\r\n"},
                                         {501, "Transfer-Encoding: chunked, identity\r\n"},
                                         {501, "Transfer-Encoding: xchunked\r\n"},
                                         {400, "Transfer-Encoding\t: chunked\r\n"},
                                         {400, "Transfer-Encoding : chunked\r\n"},
                                         {400, "Content-Length : 5\r\n"},
                                         {400, "X: a\r\n Content-Length: 5\r\n"},
                                         {400, " Content-Length: 5\r\n"},
                                         {400, "X: a\nContent-Length: 5\r\n"},
                                         {400, "X: a\rContent-Length: 5\r\n"},
                                         {400, std::string("X: a\0b\r\n", 8)},
                                         {400, "X\r\n"},
                                         {400, ": x\r\n"},
                                         {400, "Host: b\r\n"},
                                         {400, "X y: z\r\n"}})
    EXPECT_EQ(refusal("POST / HTTP/1.1\r\nHost: a\r\n" + c.fields + "\r\n"), c.status) << c.fields;
  EXPECT_EQ(refusal("POST / HTTP/1.0\r\n" + chunked + "\r\n"), 400);
}

TEST(RequestParser, RefusesOtherRequestLinesAndHosts) {
  struct Case {
    int status;
    std::string head;
  };
  for (const Case& c : std::vector<Case>{{400, "GET / HTTP/1.1\r\n\r\n"},
                                         {400, "GET / HTTP/1.1\r\nHost:\r\n\r\n"},
                                         {400, "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"},
                                         {400, "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n"},
                                         {400, "GET / HTTP/1.1\r\nHost: a:99999\r\n\r\n"},
                                         {400, "GET / HTTP/1.1\r\nHost: [a]\r\n\r\n"},
                                         {400, "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"},
                                         {400, "GET a HTTP/1.1\r\nHost: a\r\n\r\n"},
                                         {400, "GET * HTTP/1.1\r\nHost: a\r\n\r\n"},
                                         {400, "GET file://a/ HTTP/1.1\r\nHost: a\r\n\r\n"},
                                         {400, "GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n"},
                                         {505, "GET / HTTP/2.0\r\nHost: a\r\n\r\n"},
                                         {505, "GET / HTTP/0.9\r\nHost: a\r\n\r\n"},
                                         {400, "GET /\r\n\r\n"},
                                         {505, "GET / HTTP/1.1 x\r\nHost: a\r\n\r\n"},
                                         {501, "CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n"},
                                         {501, "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n"}})
    EXPECT_EQ(refusal(c.head), c.status) << c.head;
  std::string many = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (int i = 0; i < 200; ++i)
    many += "A: b\r\n";
  EXPECT_EQ(refusal(many + "\r\n"), 431);
}

TEST(RequestParser, MakesAbsoluteTargetsPaths) {
  RequestParser parser;
  ASSERT_FALSE(parser.take_head("GET http://b:81?x HTTP/1.1\r\nHost: a\r\nX-Y:  z \r\n\r\n"));
  EXPECT_EQ(parser.request().target, "/?x");
  EXPECT_THAT(parser.request().headers, ElementsAre(Pair("host", "b:81"), Pair("x-y", "z")));
}

TEST(RequestParser, RefusesMalformedChunks) {
  for (const std::string chunk :
       {"x\r\n", "-1\r\n", "5\nhello\r\n", "ffffffffffffffffff\r\n", "1\r\nab\r\n0\r\n",
        " 1\r\na\r\n", "0\r\nX y: z\r\n\r\n", "1 \r\na\r\n"}) {
    RequestParser parser;
    ASSERT_FALSE(
        parser.take_head("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"));
    parser.limit_body(100);
    std::size_t used = 0;
    const auto bad = parser.take_body(chunk, used);
    ASSERT_TRUE(bad) << chunk;
    EXPECT_EQ(bad->status, 400);
  }
}

RC_GTEST_PROP(RequestParser, ReadsABodyAlikeInAnyPieces,
              (const std::string& body, bool chunked, std::vector<unsigned char> cuts)) {
  std::string head = "POST /p HTTP/1.1\r\nHost: a\r\n", sent;
  if (chunked) {
    head += "Transfer-Encoding: chunked\r\n\r\n";
    for (const char c : body)
      sent += std::string("1\r\n") + c + "\r\n";
    sent += "0\r\n\r\n";
  } else {
    head += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
    sent = body;
  }
  RequestParser parser;
  RC_ASSERT(!parser.take_head(head));
  parser.limit_body(body.size());
  std::string_view rest = sent;
  std::string pending;
  std::size_t at = 0;
  while (!parser.done()) {
    RC_ASSERT(!rest.empty());
    const std::size_t size =
        std::min<std::size_t>(rest.size(), cuts.empty() ? 1 : 1 + cuts[at++ % cuts.size()]);
    pending += rest.substr(0, size);
    rest.remove_prefix(size);
    std::size_t used = 0;
    RC_ASSERT(!parser.take_body(pending, used));
    pending.erase(0, used);
  }
  RC_ASSERT(rest.empty() && pending.empty());
  RC_ASSERT(parser.request().body == body);
}

TEST(ResponseParser, ReadsByLengthChunksAndEnd) {
  struct Case {
    std::string text, body;
    bool done;
  };
  for (const Case& c :
       {Case{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", "ab", true},
        Case{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n", "ab",
             true},
        Case{"HTTP/1.0 200 OK\r\n\r\nab", "ab", false},
        Case{"HTTP/1.1 204 No Content\r\n\r\n", "", true}}) {
    ResponseParser parser(false, 1'000, 1'000);
    std::string in;
    for (const char one : c.text) {
      in.push_back(one);
      std::size_t used = 0;
      ASSERT_FALSE(parser.take(in, used)) << c.text;
      in.erase(0, used);
    }
    EXPECT_EQ(parser.done(), c.done) << c.text;
    EXPECT_TRUE(parser.take_end());
    EXPECT_EQ(parser.response().body, c.body);
  }
}

TEST(ResponseParser, SeesThatAnAnswerIsCutShort) {
  for (const std::string text :
       {"", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n"}) {
    ResponseParser parser(false, 1'000, 1'000);
    std::size_t used = 0;
    ASSERT_FALSE(parser.take(text, used));
    EXPECT_FALSE(parser.take_end()) << text;
  }
}

}  // namespace
}  // namespace beaconry
