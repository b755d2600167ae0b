#include "packet/dns_message.h"

#include <gtest/gtest.h>
#include <tins/tins.h>

#include "packet/test_messages.h"

namespace beaconry {
namespace {

using namespace test_messages;

TEST(DnsMessage, TellsWhatWasAsked) {
  DnsMessage dns;
  ASSERT_TRUE(dns.parse(dns_query("a.B.example.com", 28)));
  EXPECT_FALSE(dns.is_response());
  EXPECT_EQ(dns.question(), "a.B.example.com");
  EXPECT_EQ(dns.question_type(), 28);
}

TEST(DnsMessage, TellsTheAddressesOfAnAnswer) {
  DnsMessage dns;
  ASSERT_TRUE(dns.parse(dns_answer("www.example.com", 0xcb007109)));
  EXPECT_TRUE(dns.is_response());
  EXPECT_EQ(dns.question(), "www.example.com");
  ASSERT_EQ(dns.address_count(), 1U);
  EXPECT_EQ(dns.address(0).to_string(), "203.0.113.9");
}

TEST(DnsMessage, ReadsWhatLibtinsWrites) {
  Tins::DNS message;
  message.type(Tins::DNS::RESPONSE);
  message.add_query({"x.example.org", Tins::DNS::AAAA, Tins::DNS::IN});
  message.add_answer({"x.example.org", "2001:db8::7", Tins::DNS::AAAA, Tins::DNS::IN, 60});
  message.add_answer({"x.example.org", "198.51.100.7", Tins::DNS::A, Tins::DNS::IN, 60});
  DnsMessage dns;
  ASSERT_TRUE(dns.parse(message.serialize()));
  EXPECT_EQ(dns.question(), "x.example.org");
  ASSERT_EQ(dns.address_count(), 2U);
  EXPECT_EQ(dns.address(0).to_string(), "2001:db8::7");
  EXPECT_EQ(dns.address(1).to_string(), "198.51.100.7");
}

TEST(DnsMessage, MakesBytesThatAreNoTextHarmless) {
  Bytes query = dns_query("ab.example.com");
  query[13] = 0x1b, query[14] = '.';
  DnsMessage dns;
  ASSERT_TRUE(dns.parse(query));
  EXPECT_EQ(dns.question(), "??.example.com");
}

TEST(DnsMessage, FollowsPointersBackButInNoCircle) {
  Bytes header = dns_query("");
  header.resize(12);
  const auto with = [&](std::string_view hex) {
    Bytes message = header;
    const Bytes rest = from_hex(hex);
    message.insert(message.end(), rest.begin(), rest.end());
    return message;
  };
  DnsMessage dns;
  EXPECT_FALSE(dns.parse(with("c00c00010001")));      // itself
  EXPECT_FALSE(dns.parse(with("0161c00c00010001")));  // its own beginning
  EXPECT_FALSE(dns.parse(with("c00e000100010161")));  // forward
  EXPECT_FALSE(dns.parse(with("c00000010001")));      // into the header
  EXPECT_FALSE(dns.parse(with("80000100010001")));    // an unknown label type
  EXPECT_FALSE(dns.parse(with("3f61")));              // a label that is not there
}

TEST(DnsMessage, RefusesNamesThatAreTooLong) {
  std::string name;
  for (int i = 0; i < 5; ++i)
    name += std::string(60, 'a') + '.';
  DnsMessage dns;
  EXPECT_FALSE(dns.parse(dns_query(name)));
}

TEST(DnsMessage, KeepsTheQuestionOfACutAnswer) {
  const Bytes answer = dns_answer("www.example.com", 1);
  DnsMessage dns;
  for (std::size_t size = 0; size < answer.size(); ++size) {
    const bool whole_question = size >= 12 + 17 + 4;
    EXPECT_EQ(dns.parse(ByteView(answer).first(size)), whole_question) << size;
    EXPECT_EQ(dns.question(), whole_question ? "www.example.com" : "") << size;
    EXPECT_EQ(dns.address_count(), 0U);
  }
}

TEST(DnsMessage, BoundsTheAnswersItKeeps) {
  Bytes answer = dns_answer("a.example", 1);
  answer[6] = 0xff, answer[7] = 0xff;
  for (int i = 0; i < 1000; ++i)
    put(answer, std::string_view("\xc0\x0c\0\1\0\1\0\0\0\0\0\4____", 16));
  DnsMessage dns;
  ASSERT_TRUE(dns.parse(answer));
  EXPECT_LE(dns.address_count(), kMostDnsAnswers);
}

}  // namespace
}  // namespace beaconry
