#include "hunt/output/wording.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <numeric>

#include "base/text.h"
#include "base/time.h"

namespace beaconry {
namespace {

double finite(double value) {
  return std::isfinite(value) ? value : 0;
}

std::string number(const char* format, double value) {
  char text[64];
  std::snprintf(text, sizeof text, format, finite(value));
  return text;
}

std::string seconds_words(double seconds) {
  // Beyond 100 years the words say nothing more, and microseconds would overflow.
  const double bounded = std::clamp(finite(seconds), 0.0, 3.2e9);
  return to_words(Duration{std::llround(bounded * 1e6)});
}

std::string capitalised(std::string text) {
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') {
    text[0] = static_cast<char>(text[0] - 'a' + 'A');
  }
  return text;
}

}  // namespace

std::string score_words(double score) {
  return number("%.1f", std::clamp(finite(score), -9.99, 9.99) * 100);
}

std::string severity_words(Confidence confidence) {
  static constexpr const char* kWords[] = {"NONE", "LOW", "MEDIUM", "HIGH", "CRITICAL"};
  return kWords[static_cast<std::size_t>(confidence)];
}

EndWords source_words(const ScoredPair& pair) {
  return {pair.key.source.to_string(), pair.source_name};
}

EndWords destination_words(const ScoredPair& pair) {
  if (pair.kind == PairKind::named && pair.destinations.size() > 1) {
    return {pair.server_name, with_thousands(pair.destinations.size()) + " addresses"};
  }
  return {pair.key.destination.to_string(),
          pair.server_name.empty() ? pair.address_name : pair.server_name};
}

std::string port_words(const PairKey& key) {
  const bool icmp = key.protocol == Protocol::icmp || key.protocol == Protocol::icmpv6;
  return icmp ? "-" : std::to_string(key.port);
}

namespace {

bool two_sleeps(const Rhythm& r) {
  return r.model == SleepModel::alternating || r.model == SleepModel::mixture;
}

}  // namespace

std::string interval_words(double seconds) {
  return std::isfinite(seconds) && seconds > 0 ? seconds_words(seconds) : "-";
}

std::string rhythm_interval_words(const Verdict& verdict) {
  const Rhythm& r = verdict.rhythm;
  const std::string first = interval_words(verdict.interval_seconds);
  if (!two_sleeps(r)) return first;
  return interval_words(r.sleep_seconds) + '/' + interval_words(r.second_sleep_seconds);
}

std::string rhythm_jitter_words(const Verdict& verdict) {
  return two_sleeps(verdict.rhythm) ? "-" : jitter_words(verdict.jitter_percent);
}

std::string jitter_words(double percent) {
  if (!std::isfinite(percent) || percent < 0) return "-";
  return number(percent > 0 && percent < 1 ? "%.1f%%" : "%.0f%%", std::min(percent, 9999.0));
}

std::string_view hidden_word(Hidden hidden) {
  static constexpr std::string_view kWords[] = {
      "no", "below_score", "represented", "allow_listed", "baseline", "triaged", "gated", "ours"};
  return kWords[static_cast<std::size_t>(hidden)];
}

std::string hidden_words(const ScoredPair& pair) {
  if (pair.hidden == Hidden::no) return {};
  if (pair.hidden == Hidden::represented && !pair.represented_by.empty()) {
    return "stood for by " + pair.represented_by;
  }
  static constexpr const char* kWords[] = {"",
                                           "below the score",
                                           "stood for by a named pair",
                                           "allow-listed",
                                           "benign baseline",
                                           "triaged",
                                           "gated",
                                           "ours"};
  const std::string word = kWords[static_cast<std::size_t>(pair.hidden)];
  if (pair.hidden_reason.empty() || pair.hidden_reason == word) return word;
  return pair.hidden_reason.rfind(word, 0) == 0 ? pair.hidden_reason
                                                : word + ": " + pair.hidden_reason;
}

std::string_view change_word(Change change) {
  static constexpr std::string_view kWords[] = {"", "NEW", "CHANGED", "GONE"};
  return kWords[static_cast<std::size_t>(change)];
}

std::string why_words(const ScoredPair& pair) {
  std::string why;
  for (const std::string* part : {&pair.change_reason, &pair.note, &pair.verdict.summary}) {
    if (part->empty()) continue;
    if (!why.empty()) why += "; ";
    why += *part;
  }
  return why;
}

std::string_view signal_title(std::string_view name) {
  if (name == "cv") return "Interval variation";
  if (name == "periodicity") return "Periodicity";
  if (name == "jitter") return "Jitter";
  if (name == "size") return "Size consistency";
  return name;
}

std::string adjustment_title(std::string_view name) {
  std::string title(name);
  std::replace(title.begin(), title.end(), '_', ' ');
  return capitalised(title);
}

std::string sleep_model_words(const Rhythm& r) {
  const std::string sleep = seconds_words(r.sleep_seconds);
  const std::string jitter = jitter_words(r.jitter_percent);
  const bool telling = r.intervals >= kLeastToName;
  switch (r.model) {
    case SleepModel::none:
      return {};
    case SleepModel::fixed:
      return "A sleep loop of " + sleep + " without jitter.";
    case SleepModel::shorten:
      return "A sleep loop of " + sleep + " that chance shortens by up to " + jitter +
             (telling ? ", as Cobalt Strike's does." : ".");
    case SleepModel::lengthen:
      return "A sleep loop of " + sleep + " that chance lengthens by up to " + jitter +
             (telling ? ", as Sliver's does." : ".");
    case SleepModel::around:
      return "A sleep loop of " + sleep + " that chance shortens or lengthens by up to " + jitter +
             (telling ? ", as that of Empire, PoshC2 and Havoc." : ".");
    case SleepModel::alternating:
      return "Two intervals in turn, " + sleep + " and " + seconds_words(r.second_sleep_seconds) +
             ", as njRAT has them.";
    case SleepModel::mixture:
      return "More than one rhythm: " + sleep + " and " + seconds_words(r.second_sleep_seconds) +
             ".";
    case SleepModel::clock_locked:
      return "A schedule of " + sleep +
             ": its phase does not drift, as of cron, a timer or an updater.";
  }
  return {};
}

std::vector<std::string> rhythm_facts(const Rhythm& r) {
  std::vector<std::string> facts;
  if (!r.description.empty()) facts.push_back("In short: " + r.description + ".");
  if (finite(r.missing_share) > 0) {
    facts.push_back(number("%.0f %%", r.missing_share * 100) +
                    " of the check-ins that this rhythm expects are missing.");
  }
  if (r.episodes > 0) {
    const std::string active = seconds_words(r.active_seconds);
    facts.push_back(r.episodes == 1 ? "Active in one stint of " + active + "."
                                    : "Active in " + with_thousands(r.episodes) + " stints, " +
                                          active + " in all.");
  }
  return facts;
}

std::vector<long> shown_tenths(const Verdict& verdict) {
  std::vector<double> exact;
  for (const SignalValue& signal : verdict.signals)
    exact.push_back(finite(signal.contribution) * 1000);
  for (const Adjustment& adjustment : verdict.adjustments)
    exact.push_back(finite(adjustment.contribution) * 1000);
  std::vector<long> tenths;
  for (const double value : exact)
    tenths.push_back(std::lround(value));
  // What rounding lost goes to where it changes least, one tenth each.
  long missing = std::lround(finite(verdict.combined_score) * 1000) -
                 std::accumulate(tenths.begin(), tenths.end(), 0L);
  if (std::labs(missing) > static_cast<long>(tenths.size())) return tenths;  // not rounding's doing
  std::vector<std::size_t> order(exact.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const long step = missing > 0 ? 1 : -1;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const auto rest = [&](std::size_t i) {
      return (exact[i] - static_cast<double>(tenths[i])) * static_cast<double>(step);
    };
    return rest(a) > rest(b);
  });
  for (const std::size_t at : order) {
    if (missing == 0) break;
    tenths[at] += step;
    missing -= step;
  }
  return tenths;
}

std::string tenths_words(long tenths, bool with_sign) {
  return number(with_sign ? "%+.1f" : "%.1f", static_cast<double>(tenths) / 10 + 0.0);
}

}  // namespace beaconry
