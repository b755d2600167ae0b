#include "detect/benign_baseline.h"

#include <gtest/gtest.h>

namespace beaconry {
namespace {

PairKey to_port(std::uint16_t port, Protocol protocol) {
  return {*IpAddress::parse("10.0.0.5"), *IpAddress::parse("203.0.113.9"), port, protocol};
}

TEST(BenignBaseline, DefaultIsNtpOverUdpAlone) {
  const BenignBaseline baseline;
  const BenignPattern* found = baseline.match(to_port(123, Protocol::udp));
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->label, "NTP");
  EXPECT_EQ(baseline.match(to_port(123, Protocol::tcp)), nullptr);
  EXPECT_EQ(baseline.match(to_port(53, Protocol::udp)), nullptr);
}

TEST(BenignBaseline, WithoutPatternsNothingIsBenign) {
  EXPECT_EQ(BenignBaseline(std::vector<BenignPattern>{}).match(to_port(123, Protocol::udp)),
            nullptr);
}

TEST(BenignBaseline, FirstFittingPatternNamesTheService) {
  const BenignBaseline baseline({{161, Protocol::udp, "SNMP"}, {161, Protocol::udp, "again"}});
  EXPECT_EQ(baseline.match(to_port(161, Protocol::udp))->label, "SNMP");
}

}  // namespace
}  // namespace beaconry
