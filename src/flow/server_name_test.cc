#include "flow/server_name.h"

#include <gtest/gtest.h>

namespace beaconry {
namespace {

TEST(ServerName, IsComparable) {
  std::string buffer;
  EXPECT_EQ(normalise_server_name("CDN.Example.COM.", buffer), "cdn.example.com");
  EXPECT_EQ(normalise_server_name("example.com:8443", buffer), "example.com");
  EXPECT_EQ(normalise_server_name(std::string(300, 'a'), buffer).size(), kLongestServerName);
}

TEST(ServerName, AddressesAndBlanksNameNobody) {
  std::string buffer;
  for (const char* text :
       {"", "-", "(empty)", "10.0.0.1", "10.0.0.1:80", "[::1]:80", "2001:db8::1", "."}) {
    EXPECT_EQ(normalise_server_name(text, buffer), "") << text;
  }
}

TEST(RegisteredDomain, FollowsThePublicSuffixList) {
  EXPECT_EQ(registered_domain("a.b.example.com"), "example.com");
  EXPECT_EQ(registered_domain("a.b.example.co.uk"), "example.co.uk");
  EXPECT_EQ(registered_domain("example.com"), "example.com");
  EXPECT_EQ(registered_domain("com"), "com");
  EXPECT_EQ(registered_domain("printer"), "printer");
  EXPECT_EQ(registered_domain(""), "");
}

}  // namespace
}  // namespace beaconry
