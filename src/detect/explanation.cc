#include <cmath>
#include <string>
#include <vector>

#include "base/text.h"
#include "detect/scorer.h"
#include "detect/sleep_model.h"

namespace beaconry {
namespace {

constexpr double kWorthSaying = 0.05;      // of missed check-ins, of adjustments
constexpr std::uint32_t kEnoughHosts = 5;  // among fewer, to be the only one means nothing
constexpr double kMostlyOneSize = 0.5;

const char* rhythm_in_words(const Verdict& v) {
  switch (v.rhythm.model) {
    case SleepModel::none:
      return v.is_beacon ? "even, but no sleep model fits" : "irregular";
    case SleepModel::fixed:
      return "fixed sleep";
    case SleepModel::shorten:
    case SleepModel::lengthen:
    case SleepModel::around:
      return "bounded sleep";
    case SleepModel::alternating:
      return "alternating sleeps";
    case SleepModel::mixture:
      return "two rhythms";
    case SleepModel::clock_locked:
      return "clock-locked schedule";
  }
  return "";
}

std::string size_in_words(const Verdict& v) {
  const bool out = v.size_in.bytes == 0 || v.size_out.share >= v.size_in.share;
  const SizeMode& size = out && v.size_out.bytes > 0 ? v.size_out : v.size_in;
  if (size.known == 0 || size.bytes == 0 || size.share < kMostlyOneSize) return {};
  return with_thousands(size.bytes) + (&size == &v.size_out ? "-byte check-ins" : "-byte answers");
}

}  // namespace

void explain(const PairContext& context, Verdict& v) {
  for (Adjustment& a : v.adjustments)
    a.reason = reason_of(a, context);
  v.rhythm.description = describe(v.rhythm);

  std::vector<std::string> parts{rhythm_in_words(v)};
  if (v.rhythm.missing_share >= kWorthSaying) {
    parts.push_back(std::to_string(std::lround(100 * v.rhythm.missing_share)) + " % missed");
  }
  if (v.rhythm.episodes > 1) parts.push_back(std::to_string(v.rhythm.episodes) + " stints");
  if (context.users > 1) {
    parts.push_back(with_thousands(context.users) + " hosts");
  } else if (context.hosts >= kEnoughHosts) {
    parts.push_back("one host only");
  }
  if (std::string size = size_in_words(v); !size.empty()) parts.push_back(std::move(size));
  for (const Adjustment& a : v.adjustments) {
    const bool said = a.name == "prevalence" || a.name == "bounds";
    if (!said && a.contribution <= -kWorthSaying) parts.push_back(a.reason);
  }
  v.summary.clear();
  for (const std::string& part : parts)
    v.summary += (v.summary.empty() ? "" : ", ") + part;
}

}  // namespace beaconry
