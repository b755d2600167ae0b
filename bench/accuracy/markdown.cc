#include <algorithm>
#include <cstdio>

#include "accuracy/trial.h"

namespace beaconry::accuracy {
namespace {

std::string decimal(double value, int places) {
  char text[32];
  std::snprintf(text, sizeof text, "%.*f", places, value);
  return text;
}

std::string of(const ScoreCard::Class& one) {
  return std::to_string(one.found) + "/" + std::to_string(one.all);
}

class Table {
 public:
  explicit Table(const std::vector<std::string>& heads) {
    row(heads);
    text_ += "|";
    for (std::size_t i = 0; i < heads.size(); ++i)
      text_ += "---|";
    text_ += "\n";
  }
  void row(const std::vector<std::string>& cells) {
    text_ += "|";
    for (const std::string& cell : cells) {
      text_ += ' ';
      text_ += cell;
      text_ += " |";
    }
    text_ += "\n";
  }
  std::string text() const { return text_ + "\n"; }

 private:
  std::string text_;
};

std::vector<std::string> heads(std::string first) {
  std::vector<std::string> all{std::move(first)};
  all.insert(all.end(), kDetectors.begin(), kDetectors.end());
  return all;
}

std::string days(const std::vector<DayResult>& results) {
  Cards sums;
  for (const DayResult& day : results) {
    for (std::size_t i = 0; i < sums.size(); ++i)
      sums[i].add(day.cards[i]);
  }
  const double count = static_cast<double>(std::max<std::size_t>(1, results.size()));
  Table all({"detector", "found", "aperiodic alarms a day", "periodic alarms a day",
             "average precision", "the same, schedules aside"});
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const ScoreCard& sum = sums[i];
    all.row({kDetectors[i], of(sum.total()),
             decimal(static_cast<double>(sum.aperiodic_alarms) / count, 1),
             decimal(static_cast<double>(sum.periodic_alarms) / count, 1),
             decimal(sum.average_precision / count, 3),
             decimal(sum.average_precision_aperiodic / count, 3)});
  }
  Table classes(heads("found, by class"));
  for (const auto& [group, own] : sums[0].classes) {
    std::vector<std::string> row{group};
    for (const ScoreCard& sum : sums)
      row.push_back(of(sum.classes.at(group)));
    classes.row(row);
  }
  Table alarms(heads("alarms in all, by class of schedule"));
  std::map<std::string, bool> groups;
  for (const ScoreCard& sum : sums) {
    for (const auto& [group, number] : sum.periodic_alarms_by_class)
      groups[group] = true;
  }
  for (const auto& [group, present] : groups) {
    std::vector<std::string> row{group};
    for (const ScoreCard& sum : sums) {
      const auto known = sum.periodic_alarms_by_class.find(group);
      row.push_back(
          std::to_string(known == sum.periodic_alarms_by_class.end() ? 0 : known->second));
    }
    alarms.row(row);
  }
  Table each({"Beaconry, day by day", "found", "aperiodic alarms", "periodic alarms",
              "average precision"});
  for (const DayResult& day : results) {
    const ScoreCard& own = day.cards[0];
    each.row({day.name, of(own.total()), std::to_string(own.aperiodic_alarms),
              std::to_string(own.periodic_alarms), decimal(own.average_precision, 3)});
  }
  return all.text() + classes.text() + alarms.text() + each.text();
}

std::string capture_cell(const CaptureResult& result, const ScoreCard& card) {
  std::string cell;
  if (result.c2 > 0) {
    const std::size_t found = card.total().found;
    const std::size_t rank = card.ranks.front();
    cell = found > 0 ? "found" : "missed";
    cell += rank == 0 ? std::string(", not scored") : ", rank " + std::to_string(rank);
    cell += "; ";
  }
  const std::size_t alarms = card.aperiodic_alarms + card.periodic_alarms;
  cell += std::to_string(alarms) + " of " + std::to_string(card.others) + " others";
  return cell;
}

std::string captures(const std::vector<CaptureResult>& results) {
  Table table(heads("capture"));
  for (const CaptureResult& result : results) {
    std::vector<std::string> row{result.name};
    for (const ScoreCard& card : result.cards)
      row.push_back(capture_cell(result, card));
    table.row(row);
  }
  return table.text();
}

// Median and greatest number; "never" for a half that was not found.
std::string needed_cell(std::vector<std::size_t> needed) {
  if (needed.empty()) return "";
  for (std::size_t& one : needed) {
    if (one == 0) one = SIZE_MAX;
  }
  std::sort(needed.begin(), needed.end());
  const auto word = [](std::size_t one) {
    return one == SIZE_MAX ? std::string("never") : std::to_string(one);
  };
  return word(needed[(needed.size() - 1) / 2]) + " / " + word(needed.back());
}

std::string needed(const NeededCheckIns& result) {
  Table table(heads("class: median / most"));
  for (const auto& [group, own] : result.by_class[0]) {
    std::vector<std::string> row{group};
    for (const auto& by_class : result.by_class)
      row.push_back(needed_cell(by_class.at(group)));
    table.row(row);
  }
  return table.text();
}

}  // namespace

std::string to_markdown(const Results& results) {
  std::string text =
      "# Accuracy\n\nMade by `" + results.command +
      "`; bench/accuracy/README.md says what is measured and how. A malicious pair is found if it "
      "or the named pair that stands for it is called a beacon at the default threshold; an alarm "
      "is one conversation (source, destination or name, port) wrongly called one. The rivals are "
      "restated from their published formulas in bench/accuracy/rivals, at their own "
      "thresholds.\n\n";
  text += "## Simulated days: development\nThese may be looked at while tuning.\n\n" +
          days(results.development);
  text +=
      "## Simulated days: held back\nNobody tunes on these: other seeds and, with --vary, "
      "parameters from wider ranges, two more classes (through DNS; fronted by a content network "
      "that the same host browses) and schedules that only a handful of hosts run.\n\n" +
      days(results.held_back);
  text += "## Real captures\n\n";
  text += results.captures_skipped
              ? std::string("Skipped: the folder of captures was not there.\n\n")
              : "Whether the C2 channel is found, its rank among what is not other malware, and "
                "how many other conversations are called beacons of those that were scored.\n\n" +
                    captures(results.captures);
  if (results.needed_measured) {
    text +=
        "## Check-ins until detection\n\nA day of 200 hosts in which every implant falls silent "
        "after so many check-ins (";
    for (std::size_t i = 0; i < kTruncations.size(); ++i) {
      text += (i == 0 ? "" : ", ") + std::to_string(kTruncations[i]);
    }
    text += " or the whole day, tried in turn): from which number on it is found.\n\n" +
            needed(results.needed);
  }
  return text;
}

}  // namespace beaconry::accuracy
