#include "hunt/output/summary.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "base/text.h"
#include "base/time.h"
#include "hunt/output/wording.h"

namespace beaconry {
namespace {

constexpr std::size_t kMostNamed = 5;  // reasons, files or drops that a line names

std::string many(std::uint64_t count, const char* one, const char* more) {
  return with_thousands(count) + ' ' + (count == 1 ? one : more);
}

std::string joined(const std::vector<std::string>& parts, const char* between) {
  std::string text;
  for (const std::string& part : parts)
    text += (text.empty() ? "" : between) + part;
  return text;
}

std::string seconds_of_day(Timestamp time) {  // without the milliseconds
  return to_rfc3339(time).substr(0, 19) + 'Z';
}

std::string reading_line(const HuntReport& report) {
  std::string line = "Read " + many(report.inputs_read, "input", "inputs") + " (" +
                     bytes_in_words(static_cast<double>(report.bytes)) + "): ";
  line += many(report.records, "connection", "connections");
  if (report.packets > 0) line += " in " + many(report.packets, "packet", "packets");
  if (report.first_time && report.last_time) {
    line += ", " + seconds_of_day(*report.first_time) + " to " + seconds_of_day(*report.last_time) +
            " (" + to_words(std::max(Duration{0}, *report.last_time - *report.first_time)) + ")";
  }
  if (report.took_seconds > 0 && std::isfinite(report.took_seconds)) {
    char took[48];
    std::snprintf(took, sizeof took, ", in %.1fs", report.took_seconds);
    line += took;
  }
  return line + '.';
}

std::string scoring_line(const HuntReport& report, const Totals& sum) {
  std::string line = many(report.pairs_seen, "pair", "pairs") + " seen, " +
                     with_thousands(sum.scored) + " scored, those by name included";
  std::vector<std::string> unscored;
  for (const Counted& reason : report.unscored) {
    if (reason.count > 0)
      unscored.push_back(with_thousands(reason.count) + ' ' + terminal_safe(reason.what));
  }
  if (!unscored.empty()) line += " (not: " + joined(unscored, ", ") + ")";
  line += ", " + many(sum.beacons, "beacon", "beacons");
  const std::string severities = severities_words(sum);
  if (!severities.empty()) line += ": " + severities;
  return line + '.';
}

std::string hidden_line(const HuntReport& report, const Totals& sum) {
  static constexpr const char* kWords[] = {"",
                                           "below the score",
                                           "stood for by a named pair",
                                           "allow-listed",
                                           "of the benign baseline",
                                           "triaged by a note",
                                           "shut out by a configured gate"};
  std::vector<std::string> reasons;
  for (std::size_t i = 1; i < sum.hidden.size(); ++i) {
    if (sum.hidden[i] > 0) reasons.push_back(with_thousands(sum.hidden[i]) + ' ' + kWords[i]);
  }
  if (reasons.empty()) return {};
  return (report.all ? "Hidden without --all: " : "Hidden: ") + joined(reasons, ", ") +
         (report.all ? "." : ". Show them with --all.");
}

std::string refused_line(const HuntReport& report, const Totals& sum) {
  if (sum.refused == 0) return {};
  std::vector<std::string> reasons;
  for (const ReadReport::Refusal& refusal : report.refusals) {
    if (reasons.size() == kMostNamed) {
      reasons.push_back(
          many(report.refusals.size() - kMostNamed, "further reason", "further reasons"));
      break;
    }
    reasons.push_back(terminal_safe(refusal.reason) + " (" + with_thousands(refusal.count) +
                      "; first: " + terminal_safe(refusal.first_place) + ")");
  }
  return "Refused " + many(sum.refused, "line, packet or file", "lines, packets or files") + ": " +
         joined(reasons, ", ") + '.';
}

}  // namespace

std::string severities_words(const Totals& sum) {
  std::vector<std::string> parts;
  for (std::size_t i = sum.beacons_by.size(); i-- > 0;) {
    if (sum.beacons_by[i] > 0) {
      parts.push_back(with_thousands(sum.beacons_by[i]) + ' ' +
                      std::string(to_string(static_cast<Confidence>(i))));
    }
  }
  return joined(parts, ", ");
}

std::vector<std::string> summary_lines(const HuntReport& report) {
  const Totals sum = totals(report);
  std::vector<std::string> lines{reading_line(report), scoring_line(report, sum),
                                 hidden_line(report, sum), refused_line(report, sum)};
  const Listed shown = listed(report);
  if (shown.left_out > 0) {
    lines.push_back(many(shown.left_out, "more pair is", "more pairs are") +
                    " cut off by --limit " + std::to_string(report.limit) + '.');
  }
  for (std::size_t i = 0; i < report.failed_inputs.size(); ++i) {
    if (i == kMostNamed) {
      lines.push_back(
          "Not read: " + many(report.failed_inputs.size() - i, "further input", "further inputs") +
          '.');
      break;
    }
    lines.push_back("Not read, or not to its end: " + terminal_safe(report.failed_inputs[i].first) +
                    ": " + terminal_safe(report.failed_inputs[i].second) + '.');
  }
  std::vector<std::string> drops;
  for (const Counted& drop : report.drops) {
    if (drop.count > 0)
      drops.push_back(with_thousands(drop.count) + ' ' + terminal_safe(drop.what));
  }
  if (!drops.empty()) lines.push_back("Dropped: " + joined(drops, ", ") + '.');
  if (report.compared) {
    const Comparison& c = *report.compared;
    lines.push_back("Against " + terminal_safe(c.path) +
                    (c.made.empty() ? "" : " of " + terminal_safe(c.made)) + ": " +
                    with_thousands(c.fresh) + " new, " + with_thousands(c.changed) + " changed, " +
                    with_thousands(c.gone) + " gone.");
    if (c.unlisted > 0) {
      lines.push_back(
          "That report was cut by --limit: " +
          many(c.unlisted, "pair that it left out counts", "pairs that it left out count") +
          " as new.");
    }
  }
  for (const std::string& remark : report.remarks)
    lines.push_back(terminal_safe(remark));
  lines.erase(std::remove(lines.begin(), lines.end(), std::string()), lines.end());
  return lines;
}

std::string nothing_found_words(const HuntReport& report) {
  const Totals sum = totals(report);
  if (sum.beacons > 0) return {};
  std::string text = "No beacons found. ";
  const ScoredPair* best = nullptr;
  bool hidden_beacon = false;
  for (const ScoredPair& pair : report.pairs) {
    if (pair.absent) continue;
    hidden_beacon |= pair.verdict.is_beacon;
    if (best == nullptr || pair.verdict.combined_score > best->verdict.combined_score) best = &pair;
  }
  if (best == nullptr) {
    text += report.pairs_seen == 0 ? "There was no conversation to score in what was read. "
                                   : "No pair met often enough to be scored. ";
  } else if (hidden_beacon) {
    text += "Pairs that score like one are hidden for the reasons below: see them with --all. ";
  } else {
    text += "None of " + many(sum.scored, "scored pair", "scored pairs") + " reaches " +
            score_words(report.threshold) + "; the nearest is " + terminal_safe(best->identity()) +
            " with " + score_words(best->verdict.combined_score) + ". See all with --all. ";
  }
  if (report.first_time && report.last_time && *report.last_time > *report.first_time) {
    const Duration span = *report.last_time - *report.first_time;
    text += "The data cover " + to_words(span) + ": a beacon that calls less often than every " +
            to_words(span / 10) + " or so cannot show in them. ";
  }
  return text + "This is no proof that there is none.";
}

}  // namespace beaconry
