#include "hunt/output/previous.h"

#include <gtest/gtest.h>

#include <sstream>

#include "hunt/output/json.h"
#include "hunt/output/output_fixture_test.h"

namespace beaconry {
namespace {

std::string json(const HuntReport& report) {
  std::ostringstream out;
  write_json(report, out);
  return out.str();
}

Result<PreviousReport> read(const std::string& text) {
  std::istringstream in(text);
  return read_previous_report(in, "old.json");
}

HuntReport compared(const HuntReport& then, HuntReport now) {
  auto previous = read(json(then));
  EXPECT_TRUE(previous) << previous.error().message();
  if (previous) compare_with(*previous, now);
  return now;
}

TEST(Previous, TheSameReportHasNoNews) {
  const HuntReport now = compared(sample_report(), sample_report());
  for (const ScoredPair& pair : now.pairs) {
    // A hidden address pair was in no earlier list.
    if (pair.hidden == Hidden::no) {
      EXPECT_EQ(pair.change, Change::none) << pair.change_reason;
    }
  }
  ASSERT_TRUE(now.compared);
  EXPECT_EQ(now.compared->fresh + now.compared->changed + now.compared->gone, 0U);
  EXPECT_EQ(now.compared->made, "2026-11-21T08:00:00.000Z");
}

TEST(Previous, MarksNewBeacons) {
  HuntReport then = sample_report();
  then.pairs.erase(then.pairs.begin());
  const HuntReport now = compared(then, sample_report());
  EXPECT_EQ(now.pairs[0].change, Change::fresh);
  EXPECT_EQ(now.pairs[1].change, Change::none);
  EXPECT_EQ(now.compared->fresh, 1U);
}

TEST(Previous, MarksWhatChangedAndSaysHow) {
  const auto change = [](auto edit) {
    HuntReport now = sample_report();
    edit(now.pairs[0]);
    return compared(sample_report(), now).pairs[0];
  };
  EXPECT_EQ(change([](ScoredPair& p) { p.verdict.interval_seconds = 71; }).change, Change::none);
  EXPECT_EQ(change([](ScoredPair& p) { p.verdict.interval_seconds = 300; }).change_reason,
            "interval 60.0s -> 5m 0s");
  EXPECT_EQ(change([](ScoredPair& p) {
              p.destinations = {*IpAddress::parse("192.0.2.1")};
            }).change_reason,
            "other addresses");
  EXPECT_EQ(change([](ScoredPair& p) {
              p.destinations.insert(p.destinations.begin(), *IpAddress::parse("192.0.2.1"));
              p.key.destination = p.destinations[0];
            }).change,
            Change::none);
  HuntReport then = sample_report();
  then.pairs[0].verdict.confidence = Confidence::medium;
  then.pairs[0].verdict.combined_score = 0.71;
  const HuntReport now = compared(then, sample_report());
  EXPECT_EQ(now.pairs[0].change_reason, "severity MEDIUM -> CRITICAL, score 71.0 -> 97.6");
}

TEST(Previous, AppendsWhatIsGoneAndKeepsItOutOfTheTotals) {
  HuntReport now = sample_report();
  now.pairs.erase(now.pairs.begin());
  now = compared(sample_report(), now);
  const ScoredPair& gone = now.pairs.back();
  EXPECT_EQ(gone.change, Change::gone);
  EXPECT_TRUE(gone.absent);
  EXPECT_EQ(gone.identity(), "10.0.0.100->cdn.evil.tld:443/TCP");
  EXPECT_EQ(gone.destinations.size(), 14U);
  EXPECT_EQ(totals(now).beacons, 1U);
  EXPECT_EQ(totals(now).scored, 3U);
  EXPECT_EQ(listed(now).pairs.back(), &gone);
  EXPECT_EQ(now.compared->gone, 1U);
}

TEST(Previous, ABeaconThatFellBelowTheScoreIsGoneAndStillListed) {
  HuntReport now = sample_report();
  now.pairs[1].verdict.is_beacon = false;
  now.pairs[1].verdict.combined_score = 0.4;
  now.pairs[1].hidden = Hidden::below_score;
  now = compared(sample_report(), now);
  EXPECT_EQ(now.pairs[1].change, Change::gone);
  EXPECT_EQ(now.pairs.size(), 4U);
  EXPECT_EQ(listed(now).pairs.size(), 2U);
}

TEST(Previous, ReadsHostileNamesBackAndFindsThemAgain) {
  HuntReport then = sample_report();
  then.pairs = {hostile_pair()};
  const HuntReport now = compared(then, then);
  EXPECT_EQ(now.pairs.size(), 1U);
  EXPECT_EQ(now.pairs[0].change, Change::none);
}

TEST(Previous, TellsThatTheEarlierReportWasCut) {
  HuntReport then = sample_report();
  then.limit = 1;
  const HuntReport now = compared(then, sample_report());
  EXPECT_EQ(now.compared->unlisted, 1U);
}

TEST(Previous, RefusesWhatIsNoReportAndNamesThePlace) {
  const auto error = [](const std::string& text) {
    const auto result = read(text);
    return result ? "no error" : result.error().message();
  };
  EXPECT_NE(error("").find("line 1, column 1"), std::string::npos);
  EXPECT_NE(error("{}").find("no report of a hunt"), std::string::npos);
  EXPECT_NE(error("[1,2]").find("no report of a hunt"), std::string::npos);
  EXPECT_NE(error(R"({"format":"beaconry-hunt-report","format_version":99})")
                .find("format_version is not 1"),
            std::string::npos);
  EXPECT_NE(error(R"({"format":"beaconry-hunt-report","format_version":1})").find("\"pairs\""),
            std::string::npos);
  const std::string whole = json(sample_report());
  EXPECT_NE(error(whole.substr(0, whole.size() / 2)).find("line 1, column"), std::string::npos);
  const auto with_pair = [](const std::string& members) {
    return R"({"format":"beaconry-hunt-report","format_version":1,"pairs":[{"is_beacon":true,)" +
           members + "}]}";
  };
  EXPECT_NE(error(with_pair(R"("pair_key":"x")")).find("pair 1: \"pair_key\" is not like"),
            std::string::npos);
  EXPECT_NE(error(with_pair(R"("pair_key":7)")).find("pair 1: \"pair_key\""), std::string::npos);
  EXPECT_NE(error(with_pair(R"("combined_score":1e300)")).find("pair 1:"), std::string::npos);
  EXPECT_NE(error("{\"a\x1b[31m\": nope}").find("line 1, column"), std::string::npos);
  EXPECT_EQ(error("{\"a\x1b[31m\": nope}").find('\x1b'), std::string::npos);
  const auto missing = read_previous_report("/nonexistent/old.json");
  ASSERT_FALSE(missing);
}

}  // namespace
}  // namespace beaconry
