#include "hunt/output/explain.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <numeric>

#include "base/text.h"
#include "hunt/output/find_pair.h"
#include "hunt/output/golden_test.h"
#include "hunt/output/output_fixture_test.h"
#include "hunt/output/pictures.h"
#include "hunt/output/wording.h"

namespace beaconry {
namespace {

TEST(Explain, ShowsWhatTheGoldenFilesHold) {
  const HuntReport report = sample_report();
  EXPECT_EQ(
      differs_from_golden("explain.txt", explain_text(report.pairs[0], report, {100, false, true})),
      "");
  EXPECT_EQ(differs_from_golden("explain_ascii_80.txt",
                                explain_text(report.pairs[2], report, {80, false, false})),
            "");
}

TEST(Explain, FitsItsWidthAndStaysAsciiWhereTheLocaleIs) {
  const HuntReport report = sample_report();
  for (const std::size_t width : {80U, 93U, 120U}) {
    for (const ScoredPair& pair : report.pairs) {
      const std::string text = explain_text(pair, report, {width, false, false});
      for (const auto line : split(text, '\n'))
        EXPECT_LE(display_width(line), width) << line;
      for (const char c : text)
        EXPECT_LT(static_cast<unsigned char>(c), 0x80U);
    }
  }
}

TEST(Explain, HostileTextsReachNoTerminal) {
  const HuntReport report = sample_report();
  const std::string text = explain_text(hostile_pair(), report, {100, false, true});
  for (const char c : text)
    EXPECT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= 0x20) << static_cast<int>(c);
  EXPECT_EQ(utf8_valid(text), text);
  EXPECT_EQ(text.find("\xc2\x9b"), std::string::npos);
}

TEST(Explain, SaysThatTheScoreIsARank) {
  const HuntReport report = sample_report();
  EXPECT_NE(explain_text(report.pairs[1], report, {}).find("not a probability"), std::string::npos);
}

TEST(Explain, WorksWithoutCheckIns) {
  HuntReport report = sample_report();
  report.check_ins = nullptr;
  EXPECT_EQ(explain_text(report.pairs[0], report, {}).find("Timeline"), std::string::npos);
}

RC_GTEST_PROP(Points, ShownContributionsSumToTheShownScore, ()) {
  const auto share = [] { return *rc::gen::inRange(0, 1'000'001) / 1e6; };
  Verdict verdict;
  double rest = 1;
  for (SignalValue& signal : verdict.signals) {
    signal.score = share();
    signal.weight = rest * share();
    rest -= signal.weight;
    signal.contribution = signal.score * signal.weight;
    verdict.combined_score += signal.contribution;
  }
  const int adjustments = *rc::gen::inRange(0, 6);
  for (int i = 0; i < adjustments; ++i) {
    verdict.adjustments.push_back({"x", share() - 0.5, ""});
    verdict.combined_score += verdict.adjustments.back().contribution;
  }
  const auto tenths = shown_tenths(verdict);
  const long sum = std::accumulate(tenths.begin(), tenths.end(), 0L);
  RC_ASSERT(std::abs(std::stod(score_words(verdict.combined_score)) * 10 -
                     static_cast<double>(sum)) < 1e-6);
  for (std::size_t i = 0; i < verdict.signals.size(); ++i) {
    RC_ASSERT(std::abs(static_cast<double>(tenths[i]) - verdict.signals[i].contribution * 1000) <
              1.51);
  }
}

RC_GTEST_PROP(Pictures, CountEveryCheckInOnce, (std::vector<std::uint32_t> gaps)) {
  CheckIns check_ins;
  Timestamp time{};
  for (const std::uint32_t gap : gaps) {
    time += Duration{gap};
    CheckIn check_in;
    check_in.time = time;
    check_in.bytes_out = gap % 3 == 0 ? kUnknownBytes : gap;
    check_ins.push_back(check_in);
  }
  const Timeline line = timeline_of(check_ins, 37);
  RC_ASSERT(std::accumulate(line.counts.begin(), line.counts.end(), std::size_t{0}) ==
            check_ins.size());
  const auto count = [](const Histogram& histogram) {
    std::uint64_t sum = 0;
    for (const Bar& bar : histogram.bars)
      sum += bar.count;
    return sum;
  };
  const Histogram intervals = interval_histogram(check_ins, 16);
  RC_ASSERT(count(intervals) == (check_ins.empty() ? 0 : check_ins.size() - 1));
  const Histogram sizes = size_histogram(check_ins, true, 10);
  RC_ASSERT(count(sizes) + sizes.unknown == check_ins.size());
}

TEST(FindPair, TakesIdentityKeyNameOrAddress) {
  const HuntReport report = sample_report();
  EXPECT_EQ(*find_pair(report, "10.0.0.100->cdn.evil.tld:443/tcp"), &report.pairs[0]);
  EXPECT_EQ(*find_pair(report, "10.0.0.100->203.0.113.50:443/TCP"), &report.pairs[3]);
  EXPECT_EQ(*find_pair(report, "CDN.evil.tld"), &report.pairs[0]);
  EXPECT_EQ(*find_pair(report, " 2001:db8::100 "), &report.pairs[1]);
}

TEST(FindPair, SuggestsWhatComesNear) {
  const auto missing = find_pair(sample_report(), "10.0.0.100->cdn.evil.tdl:443/TCP");
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().message().find("did you mean 10.0.0.100->cdn.evil.tld:443/TCP?"),
            std::string::npos);
  EXPECT_FALSE(find_pair(sample_report(), ""));
  EXPECT_FALSE(find_pair(sample_report(), "\x1b[31m"));
}

TEST(FindPair, NamesThePairsThatSeveralHave) {
  HuntReport report = sample_report();
  report.pairs[2].hidden = Hidden::no;
  report.pairs[2].key.source = report.pairs[0].key.source;
  const auto several = find_pair(report, "10.0.0.100");
  ASSERT_FALSE(several);
  EXPECT_NE(several.error().message().find("2 listed pairs"), std::string::npos);
}

}  // namespace
}  // namespace beaconry
