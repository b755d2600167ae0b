#include "source/simulate/sleep_model.h"

#include <algorithm>
#include <cmath>

namespace beaconry::simulate {
namespace {

constexpr double kShortTurn = 9.0 / 11.5;
constexpr double kLongTurn = 14.0 / 11.5;
constexpr double kCronLateness = 1;

struct Word {
  std::string_view text;
  SleepKind kind;
};
// The first word of a kind is the one that it is written with.
constexpr Word kWords[] = {
    {"fixed", SleepKind::fixed},       {"cobalt-strike", SleepKind::cobalt_strike},
    {"sliver", SleepKind::sliver},     {"havoc", SleepKind::havoc},
    {"around", SleepKind::around},     {"empire", SleepKind::around},
    {"poshc2", SleepKind::around},     {"alternating", SleepKind::alternating},
    {"njrat", SleepKind::alternating}, {"flat", SleepKind::flat},
    {"dns", SleepKind::flat},          {"clock-locked", SleepKind::clock_locked},
    {"cron", SleepKind::clock_locked},
};

}  // namespace

Duration from_seconds(double seconds) {
  return Duration{std::llround(seconds * 1e6)};
}

std::string_view to_string(SleepKind kind) {
  for (const Word& word : kWords) {
    if (word.kind == kind) return word.text;
  }
  return "fixed";
}

std::optional<SleepKind> parse_sleep_kind(std::string_view text) {
  for (const Word& word : kWords) {
    if (word.text == text) return word.kind;
  }
  return std::nullopt;
}

std::pair<double, double> SleepModel::bounds() const {
  const double s = sleep_seconds;
  switch (kind) {
    case SleepKind::fixed:
      return {s, s};
    case SleepKind::cobalt_strike:
      return {s * (1 - jitter), s};
    case SleepKind::sliver:
      return {s, s * (1 + jitter)};
    case SleepKind::havoc:
    case SleepKind::around:
    case SleepKind::flat:
      return {s * (1 - jitter), s * (1 + jitter)};
    case SleepKind::alternating:
      return {s * kShortTurn, s * kLongTurn};
    case SleepKind::clock_locked:
      return {s - kCronLateness, s + kCronLateness};
  }
  return {s, s};
}

double Sleeper::interval() {
  const auto [least, most] = model_.bounds();
  switch (model_.kind) {
    case SleepKind::fixed:
      return most;
    case SleepKind::alternating:
      long_turn_ = !long_turn_;
      return long_turn_ ? most : least;
    case SleepKind::havoc: {
      const double deviation = random_.uniform(0, model_.sleep_seconds * model_.jitter);
      return model_.sleep_seconds + (random_.chance(0.5) ? deviation : -deviation);
    }
    default:
      return random_.uniform(least, most);
  }
}

Timestamp Sleeper::wake(Timestamp now) {
  constexpr Duration kLeast = std::chrono::milliseconds{1};
  if (model_.kind == SleepKind::clock_locked) {
    const std::int64_t period = std::max(kLeast, from_seconds(model_.sleep_seconds)).count();
    const std::int64_t since = now.time_since_epoch().count();
    const Timestamp due{Duration{(since / period + 1) * period}};
    const double late = std::min(kCronLateness, model_.sleep_seconds / 4);
    return due + from_seconds(random_.uniform(0, late));
  }
  return now + std::max(kLeast, from_seconds(interval()));
}

}  // namespace beaconry::simulate
