#include "base/ip_address.h"

#include <gtest/gtest.h>

namespace beaconry {
namespace {

TEST(IpAddress, ReadsAndWritesBothFamilies) {
  for (const char* text :
       {"0.0.0.0", "10.0.0.1", "255.255.255.255", "::", "::1", "2001:db8::1", "fe80::1:2:3:4"}) {
    const auto address = IpAddress::parse(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address->to_string(), text);
  }
}

TEST(IpAddress, RefusesWhatIsNotAnAddress) {
  for (const char* text :
       {"", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.4 ", "1..2.3", "0001.2.3.4", "::g", "[::1]",
        "fe80::1%eth0", "example.com", "12345::"}) {
    EXPECT_FALSE(IpAddress::parse(text)) << text;
  }
}

TEST(IpAddress, ReadsDottedQuadsOfEveryLength) {
  for (const std::uint32_t a : {0U, 7U, 10U, 99U, 100U, 255U}) {
    for (const std::uint32_t b : {3U, 42U, 199U}) {
      for (const std::uint32_t c : {0U, 55U, 250U}) {
        for (const std::uint32_t d : {1U, 12U, 254U}) {
          const auto address = IpAddress::v4(a << 24 | b << 16 | c << 8 | d);
          EXPECT_EQ(IpAddress::parse(address.to_string()), address) << address.to_string();
        }
      }
    }
  }
  for (const char* text : {"192.168.1000.1", "256.10.10.10", "10.10.10.999", "10..10.10.10",
                           "10.10.10.10.", ".10.10.10.10", "10.10.10x10", "10.10.10.10.1",
                           "1921.168.10.10", "10.10.10.1000", "10.10.1010.10"}) {
    EXPECT_FALSE(IpAddress::parse(text)) << text;
  }
}

TEST(IpAddress, MappedV4IsTheV4Address) {
  EXPECT_EQ(IpAddress::parse("::ffff:10.0.0.1"), IpAddress::parse("10.0.0.1"));
}

TEST(IpAddress, KnowsItsClasses) {
  EXPECT_TRUE(IpAddress::parse("239.1.2.3")->is_multicast());
  EXPECT_TRUE(IpAddress::parse("ff02::1")->is_multicast());
  EXPECT_FALSE(IpAddress::parse("10.0.0.1")->is_multicast());
  EXPECT_TRUE(IpAddress::parse("::1")->is_loopback());
  EXPECT_FALSE(IpAddress::parse("::2")->is_loopback());
  EXPECT_TRUE(IpAddress::parse("fe80::1")->is_link_local());
  EXPECT_TRUE(IpAddress::parse("169.254.169.254")->is_link_local());
}

TEST(Cidr, ContainsItsBlockAndNothingElse) {
  struct Case {
    const char *block, *inside, *outside;
  };
  for (const auto& c :
       {Case{"10.0.0.0/8", "10.255.255.255", "11.0.0.0"},
        Case{"172.16.0.0/12", "172.31.0.1", "172.32.0.1"},
        Case{"192.0.2.7", "192.0.2.7", "192.0.2.8"}, Case{"0.0.0.0/0", "8.8.8.8", "2001:db8::1"},
        Case{"::/0", "2001:db8::1", "8.8.8.8"}, Case{"fc00::/7", "fdff::1", "fe00::1"},
        Case{"2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::1"}}) {
    const auto block = Cidr::parse(c.block);
    ASSERT_TRUE(block) << c.block;
    EXPECT_TRUE(block->contains(*IpAddress::parse(c.inside))) << c.block;
    EXPECT_FALSE(block->contains(*IpAddress::parse(c.outside))) << c.block;
  }
}

TEST(IpAddress, MasksToWholeAndPartBytes) {
  const auto masked = [](const char* text, unsigned bits) {
    return IpAddress::parse(text)->masked(bits).to_string();
  };
  EXPECT_EQ(masked("2001:db8:ffff::1", 33), "2001:db8:8000::");
  EXPECT_EQ(masked("2001:db8::1", 128), "2001:db8::1");
  EXPECT_EQ(masked("2001:db8::1", 0), "::");
  EXPECT_EQ(masked("10.1.255.3", 96 + 20), "10.1.240.0");
}

TEST(Cidr, RefusesBadLengths) {
  for (const char* text : {"10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "::/129", "/8", "10/8"}) {
    EXPECT_FALSE(Cidr::parse(text)) << text;
  }
}

TEST(Cidr, WritesTheNetworkAddress) {
  EXPECT_EQ(Cidr::parse("10.1.2.3/8")->to_string(), "10.0.0.0/8");
  EXPECT_EQ(Cidr::parse("2001:db8::1/32")->to_string(), "2001:db8::/32");
}

}  // namespace
}  // namespace beaconry
