#include <gmock/gmock.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <set>

#include "leak/leak.h"
#include "leak/path.h"
#include "leak/test_observation.h"

namespace beaconry {
namespace {

using testing::HasSubstr;
using testing::Not;
using namespace std::chrono_literals;

Leak leak(MethodId method, PathKind path) {
  Leak made;
  made.method = method;
  made.path = path;
  made.inside = test::address("10.0.1.9");
  made.outer_source = test::address("203.0.113.1");
  made.first = made.opened = test::kStart;
  made.last = test::kStart + 4min;
  made.ttl = 63;
  return made;
}

constexpr MethodId kAll[] = {MethodId::udp_port,
                             MethodId::tcp_connect,
                             MethodId::tcp_syn,
                             MethodId::tcp_rst,
                             MethodId::tcp_ack,
                             MethodId::icmp,
                             MethodId::icmpv6,
                             MethodId::ip_proto,
                             MethodId::udp_lite,
                             MethodId::neighbour_gateway,
                             MethodId::ethernet_broadcast,
                             MethodId::vlan_double_tag,
                             MethodId::dns,
                             MethodId::dns_broadcast,
                             MethodId::spoof_bounce,
                             MethodId::spoof_ttl,
                             MethodId::spoof_inside,
                             MethodId::fragment,
                             MethodId::source_route,
                             MethodId::ipv6_forms,
                             MethodId::nat64,
                             MethodId::tls_hello,
                             MethodId::quic,
                             MethodId::http_proxy,
                             MethodId::socks_proxy,
                             MethodId::ntp,
                             MethodId::snmp,
                             MethodId::syslog,
                             MethodId::mdns,
                             MethodId::llmnr,
                             MethodId::nbns,
                             MethodId::ssdp};

TEST(Words, NameWhatGotOutWhereAndWhatToDoForEveryMethodAndPath) {
  for (const MethodId method : kAll) {
    for (int kind = 0; kind <= static_cast<int>(PathKind::control); ++kind) {
      const LeakWords words = describe(leak(method, static_cast<PathKind>(kind)), "hall 3");
      EXPECT_THAT(words.title, HasSubstr("hall 3"));
      EXPECT_THAT(words.title, Not(HasSubstr("unknown")));
      EXPECT_GT(words.explanation.size(), 80u);
      EXPECT_GT(words.fix.size(), 30u);
      EXPECT_GE(words.path.size(), 3u);
      EXPECT_EQ(words.path.back(), "home");
    }
  }
}

TEST(Words, TellWhichNeighbourForwardsAndHowToStopIt) {
  Leak l = leak(MethodId::neighbour_gateway, PathKind::neighbour_forwards);
  l.via = test::address("10.0.1.50");
  const LeakWords words = describe(l, "hall 3");
  EXPECT_THAT(words.title, HasSubstr("through the neighbour 10.0.1.50, which forwards"));
  EXPECT_THAT(words.explanation, HasSubstr("time to live of 63 of 64: one router"));
  EXPECT_THAT(words.fix, HasSubstr("On 10.0.1.50"));
  EXPECT_THAT(words.fix, HasSubstr("sysctl -w net.ipv4.ip_forward=0"));
  EXPECT_THAT(words.path, testing::ElementsAre("probe hall 3 (10.0.1.9)", "neighbour 10.0.1.50",
                                               "as 203.0.113.1", "home"));
}

TEST(Words, SayThatForwardingIsNotWhyANeighbourBounces) {
  Leak l = leak(MethodId::spoof_bounce, PathKind::neighbour_bounces);
  l.via = IpAddress::v4(50);
  const LeakWords words = describe(l, "hall 3");
  EXPECT_THAT(words.title, HasSubstr("the neighbour whose address ends in .50"));
  EXPECT_THAT(words.fix, HasSubstr("rp_filter=1"));
  EXPECT_THAT(words.fix, HasSubstr("forwarding off does not help"));
}

TEST(Words, PutPortsAndTheSegmentIntoTheRule) {
  Leak l = leak(MethodId::udp_port, PathKind::nat);
  l.ports = {{53, 53}, {443, 445}};
  l.two_way = true;
  const LeakWords words = describe(l, "hall 3");
  EXPECT_THAT(words.title, HasSubstr("port 53, 443-445"));
  EXPECT_THAT(words.fix, HasSubstr("ip saddr 10.0.1.0/24 udp dport { 53, 443-445 } counter drop"));
  EXPECT_THAT(words.explanation, HasSubstr("two-way"));
  l.path = PathKind::unnatted;
  EXPECT_THAT(describe(l, "hall 3").explanation, HasSubstr("beside its NAT"));
  EXPECT_THAT(describe(l, "hall 3").fix, HasSubstr("ct state invalid"));
}

TEST(Words, BlameTheGatewayWhereHomeWasAskedItself) {
  for (const MethodId method : {MethodId::dns, MethodId::ntp, MethodId::syslog}) {
    EXPECT_THAT(describe(leak(method, PathKind::nat), "hall 3").explanation,
                HasSubstr("to any server"));
    EXPECT_THAT(describe(leak(method, PathKind::nat), "hall 3").fix, HasSubstr("On the gateway"));
  }
  Leak l = leak(MethodId::dns, PathKind::resolver);
  l.via = test::address("10.0.1.1");
  EXPECT_THAT(describe(l, "hall 3").explanation, HasSubstr("asks the Internet"));
  EXPECT_THAT(describe(l, "hall 3").fix, Not(HasSubstr("On the gateway")));
}

TEST(Words, SayHowLongATransientLeakWasOpen) {
  Leak l = leak(MethodId::icmp, PathKind::nat);
  l.times_opened = 2;
  l.open_times = {{test::kStart - 10h, test::kStart - 9h}};
  l.closed = l.last;
  EXPECT_THAT(describe(l, "hall 3").explanation, HasSubstr("It was open 2 times"));
  EXPECT_THAT(describe(l, "hall 3").explanation, HasSubstr("at most 1h"));
  EXPECT_THAT(describe(l, "hall 3").explanation, HasSubstr("closed now"));
}

TEST(Words, MakeAProbesNameHarmlessForATerminal) {
  const LeakWords words = describe(leak(MethodId::icmp, PathKind::nat), "x\x1b[2J");
  EXPECT_THAT(words.title, Not(HasSubstr("\x1b")));
  EXPECT_THAT(words.explanation, Not(HasSubstr("\x1b")));
}

// Every rule that is recommended, as nft reads it: in a namespace where it can be tried.
TEST(Words, RecommendRulesThatNftTakes) {
  if (std::system("unshare --net nft list ruleset >/dev/null 2>&1") != 0)
    GTEST_SKIP() << "nft cannot be used in a namespace of its own here";
  std::set<std::string> rules;
  for (const MethodId method : kAll) {
    for (int kind = 0; kind <= static_cast<int>(PathKind::control); ++kind) {
      for (const char* inside : {"10.0.1.9", "2001:db8:1::9", "::"}) {
        Leak l = leak(method, static_cast<PathKind>(kind));
        l.inside = test::address(inside);
        l.ipv6 = l.inside == test::address("2001:db8:1::9");
        l.ports = {{53, 53}, {443, 445}};
        l.via = test::address("9.9.9.9");
        const std::string fix = describe(l, "hall 3").fix;
        for (std::size_t at = fix.find("\n  nft "); at != std::string::npos;
             at = fix.find("\n  nft ", at + 1)) {
          std::string rule = fix.substr(at + 7, fix.find('\n', at + 1) - at - 7);
          rule.erase(std::remove(rule.begin(), rule.end(), '\''), rule.end());
          rules.insert(rule);
        }
      }
    }
  }
  EXPECT_GT(rules.size(), 20u);
  const std::string path = testing::TempDir() + "rules." + std::to_string(::getpid());
  std::ofstream file(path);
  file << "add table inet filter\n"
          "add chain inet filter forward { type filter hook forward priority 0; }\n"
          "add chain inet filter prerouting { type filter hook prerouting priority 0; }\n";
  for (const std::string& rule : rules)
    file << rule << "\n";
  file.close();
  EXPECT_EQ(std::system(("unshare --net nft -f " + path).c_str()), 0);
  std::remove(path.c_str());
}

}  // namespace
}  // namespace beaconry
