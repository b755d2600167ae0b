#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "detect/scorer.h"
#include "detect/test_series.h"

namespace beaconry {
namespace {

using namespace test_series;

// Any check-ins that a store could give, and some that it never would: equal times, gaps from
// nothing to decades, unknown and absurd sizes.
rc::Gen<Series> any_series() {
  const auto gap = rc::gen::oneOf(
      rc::gen::just<std::int64_t>(0), rc::gen::just<std::int64_t>(60'000'000),
      rc::gen::inRange<std::int64_t>(0, 1'000), rc::gen::inRange<std::int64_t>(0, 100'000'000),
      rc::gen::inRange<std::int64_t>(0, 40'000'000'000'000));
  const auto bytes = rc::gen::oneOf(
      rc::gen::just(kUnknownBytes), rc::gen::just(kUnknownBytes - 1),
      rc::gen::just<std::uint64_t>(0), rc::gen::just<std::uint64_t>(420),
      rc::gen::inRange<std::uint64_t>(0, 100'000), rc::gen::arbitrary<std::uint64_t>());
  const auto visit = rc::gen::tuple(gap, bytes, bytes);
  return rc::gen::map(
      rc::gen::container<std::vector<std::tuple<std::int64_t, std::uint64_t, std::uint64_t>>>(
          visit),
      [](const auto& visits) {
        Series series;
        Timestamp now{};
        for (const auto& [gap_us, out, in] : visits) {
          now = std::min(now + Duration{gap_us}, kLatest);
          CheckIn c;
          c.time = now;
          c.bytes_out = out;
          c.bytes_in = in;
          series.push_back(c);
        }
        return series;
      });
}

PairContext any_context() {
  PairContext c;
  c.pair.destination = *rc::gen::element(
      *IpAddress::parse("203.0.113.9"), *IpAddress::parse("10.0.0.1"),
      *IpAddress::parse("224.0.0.251"), *IpAddress::parse("ff02::fb"), IpAddress{});
  c.pair.port = *rc::gen::element<std::uint16_t>(0, 53, 123, 443, 445);
  c.pair.protocol = *rc::gen::element(Protocol::tcp, Protocol::udp, Protocol::icmp);
  c.named = *rc::gen::arbitrary<bool>();
  c.users = *rc::gen::arbitrary<std::uint32_t>();
  c.hosts = *rc::gen::arbitrary<std::uint32_t>();
  c.polled_alike = *rc::gen::arbitrary<std::uint32_t>();
  c.baseline = *rc::gen::arbitrary<bool>() ? "NTP" : "";
  c.destination_internal = *rc::gen::arbitrary<bool>();
  c.inbound = *rc::gen::arbitrary<bool>();
  c.lookup = *rc::gen::arbitrary<bool>();
  c.contacted = *rc::gen::arbitrary<bool>();
  c.asks_for_others = *rc::gen::arbitrary<bool>();
  return c;
}

DetectionSettings any_settings() {
  DetectionSettings s;
  s.cv_threshold = *rc::gen::element(0.15, 0.001, 10.0);
  s.jitter_threshold_seconds = *rc::gen::element(5.0, 0.001, 3e7);
  s.burst_gap = *rc::gen::element(Duration{1'000'000}, Duration{0}, Duration{86'400'000'000});
  return s;
}

void check_bounds(const Verdict& v) {
  const auto share = [](double x) { RC_ASSERT(x >= 0 && x <= 1); };
  share(v.combined_score);
  for (const SignalValue& s : v.signals) {
    share(s.score);
    share(s.weight);
    RC_ASSERT(std::isfinite(s.contribution) && std::isfinite(s.raw_value) &&
              std::isfinite(s.threshold));
  }
  for (const Adjustment& a : v.adjustments)
    RC_ASSERT(std::isfinite(a.contribution));
  for (const double x :
       {v.interval_seconds, v.jitter_percent, v.interval_mean, v.interval_deviation,
        v.interval_median, v.interval_least, v.interval_most, v.rhythm.sleep_seconds,
        v.rhythm.jitter_percent, v.rhythm.second_sleep_seconds, v.rhythm.active_seconds}) {
    RC_ASSERT(std::isfinite(x) && x >= 0);
  }
  share(v.rhythm.missing_share);
  share(v.rhythm.coherence);
  share(v.size_out.share);
  share(v.size_in.share);
}

RC_GTEST_PROP(ScorerProperty, EveryNumberIsFiniteAndTheContributionsSumToTheScore, ()) {
  const Series series = *any_series();
  const DetectionSettings settings = any_settings();
  const PairContext context = any_context();
  Scorer scorer(settings);
  Verdict v = scorer.measure(series);
  check_bounds(v);
  scorer.conclude(context, v);
  explain(context, v);
  check_bounds(v);
  double sum = 0;
  for (const SignalValue& s : v.signals)
    sum += s.contribution;
  for (const Adjustment& a : v.adjustments) {
    sum += a.contribution;
    RC_ASSERT(!a.reason.empty());
  }
  RC_ASSERT(std::abs(sum - v.combined_score) < 1e-9);
  RC_ASSERT(v.is_beacon == (v.combined_score >= settings.alert_threshold));
  RC_ASSERT(!v.summary.empty());
}

RC_GTEST_PROP(ScorerProperty, ASeriesIsJudgedAloneWhateverWasMeasuredBefore, ()) {
  const Series before = *any_series(), series = *any_series();
  const DetectionSettings settings;
  Scorer used(settings), fresh(settings);
  used.measure(before);
  const Verdict a = used.measure(series), b = fresh.measure(series);
  RC_ASSERT(a.combined_score == b.combined_score);
  RC_ASSERT(a.interval_seconds == b.interval_seconds);
  RC_ASSERT(a.rhythm.model == b.rhythm.model);
}

// Without context nothing but the rhythm counts: shifting all times changes nothing.
RC_GTEST_PROP(ScorerProperty, WhenItHappenedDoesNotMatter, ()) {
  Series series = *any_series();
  const DetectionSettings settings;
  Scorer scorer(settings);
  const Verdict before = scorer.measure(series);
  const Duration shift{*rc::gen::inRange<std::int64_t>(0, 1'000'000'000'000)};
  for (CheckIn& c : series)
    c.time += shift;
  RC_ASSERT(scorer.measure(series).combined_score == before.combined_score);
}

// Context lowers; it never raises, and what it takes is bounded.
RC_GTEST_PROP(ScorerProperty, ContextOnlyLowers, ()) {
  const Series series = *any_series();
  const DetectionSettings settings;
  Scorer scorer(settings);
  Verdict v = scorer.measure(series);
  const double before = v.combined_score;
  scorer.conclude(any_context(), v);
  RC_ASSERT(v.combined_score <= before + 1e-12);
}

// Far above the burst gap a rhythm has no scale. jitter_threshold has, so it is set out of reach.
RC_GTEST_PROP(ScorerProperty, TheScaleOfARhythmDoesNotMatter, ()) {
  Random r(*rc::gen::arbitrary<std::uint64_t>());
  const auto count = *rc::gen::inRange<std::size_t>(5, 200);
  const double jitter = r.uniform(0, 0.9);
  Times times =
      *rc::gen::arbitrary<bool>() ? shortened(r, count, 2'000, jitter) : poisson(r, count, 2'000);
  DetectionSettings settings;
  settings.burst_gap = Duration{1};
  settings.jitter_threshold_seconds = 1e-3;
  Scorer scorer(settings);
  const auto score = [&](double factor) {
    Series series;
    for (const double t : times) {
      CheckIn c;
      c.time = kStart + Duration{std::llround(t * factor * 1e6)};
      series.push_back(c);
    }
    return scorer.measure(series).combined_score;
  };
  RC_ASSERT(std::abs(score(1) - score(r.log_uniform(1, 1000))) < 0.03);
}

}  // namespace
}  // namespace beaconry
