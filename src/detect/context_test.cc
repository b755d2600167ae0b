#include "detect/context.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace beaconry {
namespace {

PairContext outside(const char* key = "10.0.0.5->203.0.113.9:443/TCP") {
  PairContext c;
  c.pair = *PairKey::parse(key);
  c.hosts = 500;
  return c;
}

std::map<std::string, double> adjusted(const PairContext& c) {
  Verdict v;
  adjust_for_context(c, v);
  std::map<std::string, double> by_name;
  for (const Adjustment& a : v.adjustments)
    by_name[std::string(a.name)] = a.contribution;
  return by_name;
}

double for_prevalence(std::uint32_t users, std::uint32_t hosts) {
  PairContext c = outside();
  c.users = users;
  c.hosts = hosts;
  const auto by_name = adjusted(c);
  return by_name.count("prevalence") ? by_name.at("prevalence") : 0;
}

TEST(Context, OneHostThatCallsOutsideIsNotLowered) {
  EXPECT_TRUE(adjusted(outside()).empty());
}

TEST(Context, PopularDestinationsAreLoweredByHowManyUseThem) {
  EXPECT_LT(for_prevalence(200, 1000), -0.4);
  EXPECT_LE(for_prevalence(60, 1000), for_prevalence(30, 1000));
  EXPECT_LE(for_prevalence(30, 1000), for_prevalence(10, 1000));
}

TEST(Context, FewHostsProveNoPopularity) {
  // Two of ten hosts are a fifth of the network, and mean nothing.
  EXPECT_GT(for_prevalence(2, 10), -0.11);
  EXPECT_LT(for_prevalence(200, 1000), for_prevalence(2, 10));
  // A campaign on three hosts must not hide itself.
  for (const std::uint32_t hosts : {3U, 30U, 300U})
    EXPECT_GE(for_prevalence(3, hosts), -0.10);
}

TEST(Context, PollingManyAlikeIsLowered) {
  PairContext c = outside();
  c.polled_alike = 5;
  EXPECT_TRUE(adjusted(c).empty());
  c.polled_alike = 10;
  const double some = adjusted(c).at("fan_out");
  c.polled_alike = 100;
  EXPECT_LT(adjusted(c).at("fan_out"), some);
  EXPECT_GE(adjusted(c).at("fan_out"), -0.5);
}

TEST(Context, ALookupIsLoweredOnlyIfSomethingElseIsTheFinding) {
  PairContext c = outside("10.0.0.5->10.0.0.1:53/UDP");
  c.destination_internal = true;
  c.lookup = true;
  EXPECT_TRUE(adjusted(c).empty());  // a name that nobody connects to may be a tunnel
  c.asks_for_others = true;
  EXPECT_EQ(adjusted(c).count("resolver"), 1U);
  c.contacted = true;
  const auto by_name = adjusted(c);
  EXPECT_EQ(by_name.count("lookup"), 1U);
  EXPECT_EQ(by_name.count("resolver"), 0U);
}

TEST(Context, OneReasonIsEnoughForWhereItGoes) {
  PairContext c = outside("10.0.0.5->10.0.0.9:445/TCP");
  c.destination_internal = true;
  EXPECT_EQ(adjusted(c).count("known_service"), 1U);
  EXPECT_EQ(adjusted(c).count("internal"), 0U);
  c.pair.port = 4444;
  EXPECT_EQ(adjusted(c).count("internal"), 1U);
  c.inbound = true;
  EXPECT_TRUE(adjusted(c).empty());
  c.baseline = "NTP";
  EXPECT_EQ(adjusted(c).size(), 1U);
  EXPECT_EQ(adjusted(c).count("benign_baseline"), 1U);
}

TEST(Context, AKnownServiceOutsideIsNotTrusted) {
  EXPECT_TRUE(adjusted(outside("10.0.0.5->203.0.113.9:53/UDP")).empty());
}

TEST(Context, AGroupIsNoHost) {
  EXPECT_EQ(adjusted(outside("10.0.0.5->239.255.255.250:1900/UDP")).count("group_address"), 1U);
  EXPECT_EQ(adjusted(outside("10.0.0.5->[ff02::fb]:5353/UDP")).count("group_address"), 1U);
}

TEST(Context, EveryAdjustmentHasItsReason) {
  PairContext c = outside("10.0.0.5->10.0.0.9:445/TCP");
  c.users = 1200;
  c.hosts = 4000;
  c.polled_alike = 30;
  c.destination_internal = true;
  Verdict v;
  adjust_for_context(c, v);
  ASSERT_EQ(v.adjustments.size(), 3U);
  EXPECT_EQ(reason_of(v.adjustments[0], c), "1,200 of 4,000 hosts use it");
  EXPECT_EQ(reason_of(v.adjustments[1], c), "polls 30 destinations alike");
  EXPECT_EQ(reason_of(v.adjustments[2], c), "SMB in the own network");
}

}  // namespace
}  // namespace beaconry
