#include "detect/allow_list.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

namespace beaconry {
namespace {

PairKey key(const char* text) {
  return *PairKey::parse(text);
}

TEST(AllowList, NamesTheEntryThatMatchedAndItsLine) {
  AllowList list;
  ASSERT_TRUE(list.add("10.9.9.9", "--allow"));
  ASSERT_TRUE(
      list.add_lines("# trusted\n"
                     "\n"
                     "  203.0.113.9   # the backup server\r\n"
                     "*.example.com",
                     "allow.txt"));
  EXPECT_EQ(list.size(), 3U);
  const AllowEntry* found = list.match(key("10.0.0.5->203.0.113.9:443/TCP"), "");
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->text, "203.0.113.9");
  EXPECT_EQ(found->origin, "allow.txt line 3");
  found = list.match(key("10.0.0.5->198.51.100.1:443/TCP"), "a.example.com");
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->origin, "allow.txt line 4");
  EXPECT_EQ(list.match(key("10.0.0.5->198.51.100.1:443/TCP"), ""), nullptr);
}

TEST(AllowList, TheFirstOfSeveralEntriesIsNamed) {
  AllowList list;
  ASSERT_TRUE(list.add_lines("443\n203.0.113.9\n10.0.0.0/8\n*.example.com\n", "a"));
  EXPECT_EQ(list.match(key("10.0.0.5->203.0.113.9:443/TCP"), "x.example.com")->text, "443");
  EXPECT_EQ(list.match(key("10.0.0.5->203.0.113.9:80/TCP"), "x.example.com")->text, "203.0.113.9");
}

TEST(AllowList, ABadLineIsNamedWithFileLineAndRemedy) {
  AllowList list;
  const auto added = list.add_lines("10.0.0.1\n\n10.0.0.300\n10.0.0.2\n", "allow.txt");
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().message().substr(0, 57),
            "read allow.txt line 3, '10.0.0.300': not an address or bl");
}

TEST(AllowList, AFileMayBeEmptyOrBeginWithAByteOrderMark) {
  AllowList list;
  EXPECT_TRUE(list.add_lines("", "a"));
  EXPECT_TRUE(
      list.add_lines("\xef\xbb\xbf"
                     "10.0.0.1\n",
                     "a"));
  EXPECT_EQ(list.size(), 1U);
  EXPECT_NE(list.match(key("10.0.0.1->203.0.113.9:443/TCP"), ""), nullptr);
}

TEST(AllowList, AnEmptyListCoversNothing) {
  EXPECT_EQ(AllowList().match(key("10.0.0.1->203.0.113.9:443/TCP"), "a.example.com"), nullptr);
}

// The look-ups must find what trying every entry in order finds.
RC_GTEST_PROP(AllowList, FindsTheEntryThatTryingEachInOrderFinds, ()) {
  static const std::vector<std::string> entries = {"10.0.0.1",
                                                   "10.0.0.0/30",
                                                   "src=10.0.0.2",
                                                   "dst=10.0.0.2",
                                                   "10.0.0.3:*:*",
                                                   "*:10.0.0.3:80",
                                                   "10.0.0.1:10.0.0.2:443",
                                                   "443",
                                                   "53/udp",
                                                   "*:*:80/tcp",
                                                   "*.b.c",
                                                   ".b.c",
                                                   "a.b.c",
                                                   "*b.c",
                                                   "a*",
                                                   "?.b.*",
                                                   "*:*.c:443",
                                                   "10.0.0.2:*.c:*",
                                                   "2001:db8::/32",
                                                   "::/0",
                                                   "dst=2001:db8::1",
                                                   "0.0.0.0/1",
                                                   "10.0.0.1->10.0.0.3:80/TCP",
                                                   "b.c:53/udp"};
  static const std::vector<std::string> addresses = {"10.0.0.1",  "10.0.0.2",    "10.0.0.3",
                                                     "200.0.0.1", "2001:db8::1", "fe80::1"};
  static const std::vector<std::string> names = {"", "c", "b.c", "a.b.c", "x.a.b.c", "xb.c", "ab"};
  AllowList list;
  std::vector<AllowRule> rules;
  const auto chosen = *rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(entries));
  for (const auto& entry : chosen) {
    RC_ASSERT(static_cast<bool>(list.add(entry, "test")));
    rules.push_back(*AllowRule::parse(entry));
  }
  PairKey pair;
  pair.source = *IpAddress::parse(*rc::gen::elementOf(addresses));
  pair.destination = *IpAddress::parse(*rc::gen::elementOf(addresses));
  pair.port = *rc::gen::element<std::uint16_t>(53, 80, 443, 8080);
  pair.protocol = *rc::gen::element(Protocol::tcp, Protocol::udp);
  const std::string name = *rc::gen::elementOf(names);
  std::string expected;
  for (std::size_t i = 0; i < rules.size() && expected.empty(); ++i) {
    if (rules[i].covers(pair, name)) expected = chosen[i];
  }
  const AllowEntry* found = list.match(pair, name);
  RC_ASSERT((found == nullptr ? "" : found->text) == expected);
}

}  // namespace
}  // namespace beaconry
