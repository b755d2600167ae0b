#include "accuracy/score_card.h"

#include <gtest/gtest.h>

namespace beaconry::accuracy {
namespace {

IpAddress ip(const char* text) {
  return *IpAddress::parse(text);
}

Claim address_claim(const char* from, const char* to, double value, bool is_beacon) {
  return {ip(from), {ip(to)}, "", 443, value, is_beacon};
}

TEST(Score, FindsAMaliciousPairByItsAddressOrItsName) {
  Labels labels;
  labels.malicious.push_back({ip("10.0.0.1"), {ip("198.18.0.1")}, "c2.example", 443, "fixed"});
  EXPECT_EQ(score({address_claim("10.0.0.1", "198.18.0.1", 0.9, true)}, labels).total().found, 1U);
  EXPECT_EQ(score({{ip("10.0.0.1"), {ip("198.18.0.9")}, "c2.example", 443, 0.9, true}}, labels)
                .total()
                .found,
            1U);
  EXPECT_EQ(score({{ip("10.0.0.1"), {ip("198.18.0.1")}, "shop.example", 443, 0.9, true}}, labels)
                .total()
                .found,
            0U);
  EXPECT_EQ(score({address_claim("10.0.0.2", "198.18.0.1", 0.9, true)}, labels).total().found, 0U);
}

TEST(Score, CountsANamedPairAndItsAddressesAsOneAlarm) {
  const std::vector<Claim> claims{
      {ip("10.0.0.1"), {ip("198.18.0.1"), ip("198.18.0.2")}, "tv.example", 443, 0.8, true},
      address_claim("10.0.0.1", "198.18.0.1", 0.8, true),
      address_claim("10.0.0.1", "198.18.0.2", 0.8, true),
      address_claim("10.0.0.1", "198.18.0.3", 0.8, true)};
  Labels labels;
  EXPECT_EQ(score(claims, labels).aperiodic_alarms, 2U);
  labels.periodic.push_back({ip("10.0.0.1"), {ip("198.18.0.1")}, "tv.example", 443, "telemetry"});
  const ScoreCard card = score(claims, labels);
  EXPECT_EQ(card.periodic_alarms, 1U);
  EXPECT_EQ(card.aperiodic_alarms, 1U);
  EXPECT_EQ(card.periodic_alarms_by_class.at("telemetry"), 1U);
}

TEST(Score, RanksTheHarmlessFirstAmongEquals) {
  Labels labels;
  labels.malicious.push_back({ip("10.0.0.1"), {ip("198.18.0.1")}, "", 443, "fixed"});
  const ScoreCard card = score({address_claim("10.0.0.1", "198.18.0.1", 0.8, true),
                                address_claim("10.0.0.1", "198.18.0.2", 0.8, false),
                                address_claim("10.0.0.1", "198.18.0.3", 0.1, false)},
                               labels);
  EXPECT_EQ(card.ranks.at(0), 2U);
  EXPECT_DOUBLE_EQ(card.average_precision, 0.5);
  EXPECT_EQ(card.others, 2U);
}

TEST(Score, GivesAPairThatNobodyScoredNoRank) {
  Labels labels;
  labels.malicious.push_back({ip("10.0.0.1"), {ip("198.18.0.1")}, "", 443, "fixed"});
  EXPECT_EQ(score({}, labels).ranks.at(0), 0U);
}

}  // namespace
}  // namespace beaconry::accuracy
