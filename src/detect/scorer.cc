#include "detect/scorer.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/text.h"
#include "detect/sleep_model.h"

namespace beaconry {
namespace {

// Evidence against chance below which a regular look is not believed yet, in nats.
constexpr double kNoEvidence = 4, kEnoughEvidence = 12;
constexpr double kMostForFewCheckIns = 0.4;

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
  if (doubt > 0) {
    v.adjustments.push_back({"few_check_ins", -kMostForFewCheckIns * doubt, {}});
  }
  v.rhythm = fit_sleep_model(e);
  v.interval_seconds = e.lag == 2 && v.rhythm.model == SleepModel::alternating ? e.intervals.median
                                                                               : e.folding.period;
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

void Scorer::conclude(const PairContext& context, bool with_reasons, Verdict& v) const {
  if (with_reasons) {
    for (Adjustment& a : v.adjustments) {
      if (a.name == "few_check_ins") a.reason = "too few check-ins to exclude chance";
    }
  }
  adjust_for_context(context, with_reasons, v);
  const double total = sum(v);
  const double bounded = std::clamp(total, 0.0, 1.0);
  if (bounded != total) {
    v.adjustments.push_back(
        {"bounds", bounded - total, with_reasons ? "a score is between 0 and 1" : ""});
  }
  v.combined_score = bounded;
  v.is_beacon = bounded >= settings_.alert_threshold;
  const SeverityLadder& ladder = settings_.severity;
  v.confidence = bounded >= ladder.critical ? Confidence::critical
                 : bounded >= ladder.high   ? Confidence::high
                 : bounded >= ladder.medium ? Confidence::medium
                 : bounded > 0.3            ? Confidence::low
                                            : Confidence::none;
  if (with_reasons) {
    v.rhythm.description = describe(v.rhythm);
    v.summary = summarise(v, context);
  }
}

std::string summarise(const Verdict& v, const PairContext& context) {
  std::vector<std::string> parts;
  switch (v.rhythm.model) {
    case SleepModel::none:
      parts.push_back(v.is_beacon ? "even but without a sleep model" : "irregular");
      break;
    case SleepModel::fixed:
      parts.push_back("fixed sleep");
      break;
    case SleepModel::shorten:
    case SleepModel::lengthen:
    case SleepModel::around:
      parts.push_back("bounded sleep");
      break;
    case SleepModel::alternating:
      parts.push_back("alternating sleeps");
      break;
    case SleepModel::mixture:
      parts.push_back("two rhythms");
      break;
    case SleepModel::clock_locked:
      parts.push_back("clock-locked schedule");
      break;
  }
  if (v.rhythm.missing_share >= 0.05) {
    parts.push_back(std::to_string(std::lround(100 * v.rhythm.missing_share)) + " % missed");
  }
  if (v.rhythm.episodes > 1) parts.push_back(std::to_string(v.rhythm.episodes) + " stints");
  if (context.users <= 1) {
    parts.push_back("one host only");
  } else {
    parts.push_back(with_thousands(context.users) + " hosts");
  }
  const SizeMode& size =
      v.size_out.share >= v.size_in.share || v.size_in.bytes == 0 ? v.size_out : v.size_in;
  if (size.known > 0 && size.bytes > 0 && size.share >= 0.5) {
    parts.push_back(with_thousands(size.bytes) +
                    (&size == &v.size_out ? "-byte check-ins" : "-byte answers"));
  }
  for (const Adjustment& a : v.adjustments) {
    if (a.name != "bounds" && a.name != "prevalence" && a.contribution < -0.05) {
      parts.push_back(a.reason);
    }
  }
  std::string line;
  for (const std::string& part : parts)
    line += (line.empty() ? "" : ", ") + part;
  return line;
}

}  // namespace beaconry
