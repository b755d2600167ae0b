#include "detect/scorer.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "detect/sleep_model.h"

namespace beaconry {
namespace {

// Evidence against chance below which a regular look is not believed yet, in nats.
constexpr double kNoEvidence = 4, kEnoughEvidence = 11;
constexpr double kMostForFewCheckIns = 0.4;
// And of two rhythms the one that has lasted longer is the surer: it ranks first.
constexpr double kForYoung = 0.08, kYoung = 40;
// Of a jitter wider than this (percent) the scan's window shows only a part: the median tells more.
constexpr double kWideJitter = 25;
constexpr double kNegligible = 1e-4;
constexpr double kNothing = 0.3;  // scores up to here have no severity at all

double sum(const Verdict& v) {
  double total = 0;
  for (const SignalValue& s : v.signals)
    total += s.contribution;
  for (const Adjustment& a : v.adjustments)
    total += a.contribution;
  return total;
}

}  // namespace

Verdict Scorer::measure(std::span<const CheckIn> series) {
  Evidence& e = evidence_;
  e.assign(series, settings_);
  Verdict v;
  for (const Signal* signal : signals_table()) {
    const Measurement m = signal->measure(e, settings_);
    const double weight = settings_.*(signal->weight);
    v.signals.push_back(
        {signal->name, m.score, weight, m.score * weight, m.raw_value, m.threshold});
  }
  const double doubt =
      1 - std::clamp((e.nats - kNoEvidence) / (kEnoughEvidence - kNoEvidence), 0.0, 1.0);
  const double by_few = kMostForFewCheckIns * doubt + kForYoung * std::exp(-e.nats / kYoung);
  if (by_few > kNegligible) v.adjustments.push_back({"evidence", -by_few, {}});
  v.rhythm = fit_sleep_model(e);
  v.interval_seconds = e.folding.period;
  const bool wide = v.rhythm.jitter_percent > kWideJitter;
  if (wide || v.rhythm.model == SleepModel::alternating) v.interval_seconds = e.intervals.median;
  v.jitter_percent =
      v.rhythm.model != SleepModel::none
          ? v.rhythm.jitter_percent
          : (e.intervals.median > 0
                 ? 100 * (quantile(e.intervals.sorted, 0.9) - quantile(e.intervals.sorted, 0.1)) /
                       2 / e.intervals.median
                 : 0);
  v.interval_mean = e.intervals.mean;
  v.interval_deviation = e.intervals.deviation;
  v.interval_median = e.intervals.median;
  v.interval_least = e.intervals.least;
  v.interval_most = e.intervals.most;
  v.size_out = e.sizes.out;
  v.size_in = e.sizes.in;
  v.combined_score = std::clamp(sum(v), 0.0, 1.0);
  return v;
}

void Scorer::conclude(const PairContext& context, Verdict& v) const {
  adjust_for_context(context, v);
  const double total = sum(v);
  v.combined_score = std::clamp(total, 0.0, 1.0);
  if (v.combined_score != total) {
    v.adjustments.push_back({"bounds", v.combined_score - total, {}});
  }
  v.is_beacon = v.combined_score >= settings_.alert_threshold;
  const SeverityLadder& ladder = settings_.severity;
  v.confidence = v.combined_score >= ladder.critical ? Confidence::critical
                 : v.combined_score >= ladder.high   ? Confidence::high
                 : v.combined_score >= ladder.medium ? Confidence::medium
                 : v.combined_score > kNothing       ? Confidence::low
                                                     : Confidence::none;
}

}  // namespace beaconry
