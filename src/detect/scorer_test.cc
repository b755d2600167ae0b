#include "detect/scorer.h"

#include <gtest/gtest.h>

#include "detect/test_series.h"

namespace beaconry {
namespace {

using namespace test_series;

const Adjustment* adjustment(const Verdict& v, std::string_view name) {
  for (const Adjustment& a : v.adjustments) {
    if (a.name == name) return &a;
  }
  return nullptr;
}

Verdict concluded(const Series& series, const DetectionSettings& settings = {},
                  const PairContext& context = {}) {
  Scorer scorer(settings);
  Verdict v = scorer.measure(series);
  scorer.conclude(context, v);
  return v;
}

TEST(Scorer, AnImplantOfOneSizeIsCritical) {
  Random r(1);
  const Verdict v = concluded(series_of(shortened(r, 200, 60, 0.2), Sizes::one));
  EXPECT_TRUE(v.is_beacon);
  EXPECT_EQ(v.confidence, Confidence::critical);
  EXPECT_NEAR(v.interval_seconds, 54, 3);
  EXPECT_EQ(v.size_out.bytes, 420U);
}

TEST(Scorer, SignalsAreTheFourKnownOnesWithTheirWeights) {
  const Verdict v = concluded(series_of(fixed(20, 60)));
  ASSERT_EQ(v.signals.size(), 4U);
  const std::pair<std::string_view, double> known[] = {
      {"cv", 0.35}, {"periodicity", 0.35}, {"jitter", 0.15}, {"size", 0.15}};
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(v.signals[i].name, known[i].first);
    EXPECT_DOUBLE_EQ(v.signals[i].weight, known[i].second);
  }
}

TEST(Scorer, WeightsDecideWhatCounts) {
  DetectionSettings sizes_only;
  sizes_only.cv_weight = sizes_only.periodicity_weight = sizes_only.jitter_weight = 0;
  sizes_only.size_weight = 1;
  Random r(2);
  const Series series = series_of(poisson(r, 300, 60), Sizes::one);
  const Verdict v = concluded(series, sizes_only);
  EXPECT_DOUBLE_EQ(v.signals[3].contribution, v.signals[3].score);
  EXPECT_EQ(v.signals[0].contribution, 0);
}

TEST(Scorer, ALooserCvThresholdRaisesTheScore) {
  Random r(3);
  const Series series = series_of(around(r, 100, 60, 0.9));
  DetectionSettings strict, loose;
  strict.cv_threshold = 0.05;
  loose.cv_threshold = 0.4;
  EXPECT_LT(concluded(series, strict).combined_score, concluded(series, loose).combined_score);
}

TEST(Scorer, TheLadderGivesTheSeverity) {
  const Series series = series_of(fixed(100, 60), Sizes::one);
  const double score = concluded(series).combined_score;
  ASSERT_GT(score, 0.9);
  DetectionSettings s;
  s.severity = {score - 0.01, score + 0.01, score + 0.02};
  EXPECT_EQ(concluded(series, s).confidence, Confidence::medium);
  s.severity = {0.1, score - 0.01, score + 0.01};
  EXPECT_EQ(concluded(series, s).confidence, Confidence::high);
  s.severity = {0.1, 0.2, score};
  EXPECT_EQ(concluded(series, s).confidence, Confidence::critical);
  s.alert_threshold = 1;
  EXPECT_FALSE(concluded(series, s).is_beacon);
}

TEST(Scorer, FewCheckInsAreDoubtedAndManyAreNot) {
  Random r(4);
  const Verdict few = concluded(series_of(around(r, 6, 60, 0.3)));
  const Verdict many = concluded(series_of(around(r, 300, 60, 0.3)));
  ASSERT_NE(adjustment(few, "evidence"), nullptr);
  EXPECT_LT(adjustment(few, "evidence")->contribution, -0.1);
  EXPECT_LT(few.combined_score, 0.7);
  EXPECT_GE(many.combined_score, 0.7);
  const Adjustment* doubt = adjustment(many, "evidence");
  EXPECT_TRUE(doubt == nullptr || doubt->contribution > -0.05);
}

TEST(Scorer, OfTwoRhythmsTheOneThatLastedLongerRanksFirst) {
  EXPECT_LT(concluded(series_of(fixed(9, 60), Sizes::one)).combined_score,
            concluded(series_of(fixed(60, 60), Sizes::one)).combined_score);
}

TEST(Scorer, OneFormatOfSizesRaisesTheScoreAndEmptyFlowsDoNot) {
  Random r(5);
  const Times times = shortened(r, 100, 60, 0.3);
  const double unknown = concluded(series_of(times)).combined_score;
  EXPECT_GT(concluded(series_of(times, Sizes::one)).combined_score, unknown);
  EXPECT_LT(concluded(series_of(times, Sizes::any)).combined_score, unknown);
  Series empty = series_of(times);
  for (CheckIn& c : empty)
    c.bytes_out = c.bytes_in = 0;
  EXPECT_DOUBLE_EQ(concluded(empty).combined_score, unknown);
}

TEST(Scorer, WhatContextTakesBelowZeroIsGivenBackByBounds) {
  PairContext c;
  c.users = 900;
  c.hosts = 1000;
  c.polled_alike = 90;
  c.baseline = "NTP";
  Random r(6);
  const Verdict v = concluded(series_of(browsing(r, 50)), {}, c);
  EXPECT_EQ(v.combined_score, 0);
  EXPECT_EQ(v.confidence, Confidence::none);
  ASSERT_NE(adjustment(v, "bounds"), nullptr);
  EXPECT_GT(adjustment(v, "bounds")->contribution, 0);
}

TEST(Explanation, SummarisesWhatAnAnalystAsksFirst) {
  Random r(7);
  DetectionSettings settings;
  Scorer scorer(settings);
  Verdict v = scorer.measure(series_of(lost(r, fixed(200, 60), 0.3), Sizes::one));
  PairContext c;
  c.hosts = 40;
  scorer.conclude(c, v);
  explain(c, v);
  EXPECT_TRUE(v.summary.starts_with("fixed sleep, ")) << v.summary;
  EXPECT_NE(v.summary.find(" % missed, one host only, 420-byte check-ins"), std::string::npos)
      << v.summary;
  EXPECT_EQ(v.rhythm.description, "sleep 60.0s without jitter");
}

TEST(Explanation, NamesWhatLoweredTheScoreAndEveryReason) {
  DetectionSettings settings;
  Scorer scorer(settings);
  Verdict v = scorer.measure(series_of(fixed(50, 60)));
  PairContext c;
  c.users = 40;
  c.hosts = 100;
  c.polled_alike = 30;
  scorer.conclude(c, v);
  explain(c, v);
  EXPECT_NE(v.summary.find("40 hosts"), std::string::npos) << v.summary;
  EXPECT_NE(v.summary.find("polls 30 destinations alike"), std::string::npos) << v.summary;
  for (const Adjustment& a : v.adjustments)
    EXPECT_FALSE(a.reason.empty()) << a.name;
}

}  // namespace
}  // namespace beaconry
