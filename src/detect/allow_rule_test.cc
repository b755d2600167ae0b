#include "detect/allow_rule.h"

#include <gtest/gtest.h>

#include <string>

namespace beaconry {
namespace {

struct Case {
  const char* entry;
  const char* pair;
  const char* name;
  bool covered;
};

constexpr const char* kV4 = "10.0.0.5->203.0.113.9:443/TCP";
constexpr const char* kV6 = "[2001:db8::1]->[2001:db8:9::2]:443/TCP";
constexpr const char* kDns = "10.0.0.5->8.8.8.8:53/UDP";

TEST(AllowRule, CoversAsItsHelpSays) {
  for (const Case& c : {
           Case{"10.0.0.5", kV4, "", true},
           Case{"203.0.113.9", kV4, "", true},
           Case{"10.0.0.6", kV4, "", false},
           Case{"10.0.0.0/8", kV4, "", true},
           Case{"203.0.0.0/8", kV4, "", true},
           Case{"11.0.0.0/8", kV4, "", false},
           Case{"10.0.*", kV4, "", true},
           Case{"10.0.*.*", kV4, "", true},
           Case{"10.1.*", kV4, "", false},
           Case{"2001:db8:9::2", kV6, "", true},
           Case{"[2001:db8:9::2]", kV6, "", true},
           Case{"2001:db8::/32", kV6, "", true},
           Case{"[2001:db8::]/32", kV6, "", true},
           Case{"::/0", kV4, "", false},
           Case{"src=10.0.0.5", kV4, "", true},
           Case{"SRC=10.0.0.5", kV4, "", true},
           Case{"dst=10.0.0.5", kV4, "", false},
           Case{"dst=203.0.113.0/24", kV4, "", true},
           Case{"src=203.0.113.0/24", kV4, "", false},
           Case{"dst=*.example.com", kV4, "a.example.com", true},
           Case{"443", kV4, "", true},
           Case{":443", kV4, "", true},
           Case{":443/tcp", kV4, "", true},
           Case{"443/udp", kV4, "", false},
           Case{"53/udp", kDns, "", true},
           Case{"203.0.113.9:443", kV4, "", true},
           Case{"203.0.113.9:443/udp", kV4, "", false},
           Case{"10.0.0.5:443", kV4, "", false},
           Case{"[2001:db8:9::2]:443", kV6, "", true},
           Case{"[2001:db8:9::2]:444", kV6, "", false},
           Case{"*.example.com:443", kV4, "a.example.com", true},
           Case{"*.example.com:80", kV4, "a.example.com", false},
           Case{"10.0.0.5:203.0.113.9:443", kV4, "", true},
           Case{"10.0.0.5:203.0.113.9:*", kV4, "", true},
           Case{"10.0.0.5:*:443", kV4, "", true},
           Case{"*:203.0.113.9:443", kV4, "", true},
           Case{"*:203.0.113.9:*", kV4, "", true},
           Case{"*:*:443", kV4, "", true},
           Case{"*:*:443/udp", kV4, "", false},
           Case{"10.0.0.0/8:203.0.113.0/24:443", kV4, "", true},
           Case{"10.0.*:203.0.113.*:443/tcp", kV4, "", true},
           Case{"203.0.113.9:10.0.0.5:443", kV4, "", false},
           Case{"[2001:db8::1]:[2001:db8:9::2]:443", kV6, "", true},
           Case{"[2001:db8::1]:*:80", kV6, "", false},
           Case{"[2001:db8::]/48:*:443", kV6, "", true},
           Case{"*:*.example.com:443/tcp", kV4, "a.b.example.com", true},
           Case{"*:*.example.com:443/tcp", kV4, "", false},
           Case{"10.0.0.5->203.0.113.9:443/TCP", kV4, "", true},
           Case{"10.0.0.5->203.0.113.9:444/TCP", kV4, "", false},
           Case{"[2001:db8::1]->[2001:db8:9::2]:443/TCP", kV6, "", true},
           Case{"*.Example.com", kV4, "a.b.example.com", true},
           Case{"*.example.com", kV4, "example.com", false},
           Case{".example.com", kV4, "example.com", true},
           Case{"  www.example.com ", kV4, "www.example.com", true},
           Case{"0.0.0.0/0", kV4, "", true},
       }) {
    const auto rule = AllowRule::parse(c.entry);
    ASSERT_TRUE(rule) << c.entry << ": " << rule.error().message();
    EXPECT_EQ(rule->covers(*PairKey::parse(c.pair), c.name), c.covered)
        << c.entry << " and " << c.pair << ' ' << c.name;
  }
}

struct Refused {
  const char* entry;
  const char* cause_part;
};

TEST(AllowRule, RefusesWithARemedy) {
  for (const Refused& c : {
           Refused{"", "empty"},
           Refused{"   ", "empty"},
           Refused{"*", "hide everything"},
           Refused{"*:*:*", "hide everything"},
           Refused{"*:*:*/tcp", "hide everything"},
           Refused{"*:*", "hide everything"},
           Refused{"src=*", "hide everything"},
           Refused{"10.0.0.256", "not an address"},
           Refused{"10.0.0", "not an address"},
           Refused{"10.0.0.0/33", "not an address"},
           Refused{"10.*.0.5", "not an address"},
           Refused{"192.168.?.1", "not an address"},
           Refused{"*.5", "not an address"},
           Refused{"[2001:db8]::1", "the source must be an address"},
           Refused{"[2001:db8::1", "not an address"},
           Refused{"2001:db8::1::2", "not an address"},
           Refused{"10.0.0.5:2001:db8::1:443", "not an address"},
           Refused{"65536", "write one from 0 to 65535"},
           Refused{":http", "'http' is not a port"},
           Refused{"a:b:c", "'c' is not a port"},
           Refused{"host:*:53", "the source must be an address"},
           Refused{"src=host", "the source must be an address"},
           Refused{"1:2:3:4", "too many colons"},
           Refused{"10.0.0.5->x", "not a pair's key"},
           Refused{"example.com/tcp", "a protocol follows a port"},
           Refused{"53/tpc", "after a slash"},
           Refused{"10.0.0.1,10.0.0.2", "one entry a line"},
           Refused{"a b", "one entry a line"},
           Refused{"\xc3\xbc.example", "xn--"},
       }) {
    const auto rule = AllowRule::parse(c.entry);
    ASSERT_FALSE(rule) << c.entry;
    EXPECT_NE(rule.error().cause.find(c.cause_part), std::string::npos)
        << c.entry << ": " << rule.error().message();
  }
}

TEST(AllowRule, AnErrorShowsHostileTextHarmlesslyAndShort) {
  const auto rule = AllowRule::parse("\x1b[31m" + std::string(10'000, 'x'));
  ASSERT_FALSE(rule);
  EXPECT_EQ(rule.error().message().find('\x1b'), std::string::npos);
  EXPECT_LT(rule.error().message().size(), 250U);
}

}  // namespace
}  // namespace beaconry
