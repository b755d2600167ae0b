#pragma once
#include <map>
#include <string>
#include <vector>

#include "accuracy/claim.h"

namespace beaconry::accuracy {

struct Labels {
  std::vector<LabelledPair> malicious;
  std::vector<LabelledPair> periodic;  // harmless schedules
  std::vector<LabelledPair> ignored;   // neither: counted nowhere
};

// How a detector did on one input.
struct ScoreCard {
  struct Class {
    std::size_t found = 0;
    std::size_t all = 0;
  };
  std::map<std::string, Class> classes;  // of malicious pairs
  std::map<std::string, std::size_t> periodic_alarms_by_class;
  std::size_t periodic_alarms = 0;
  std::size_t aperiodic_alarms = 0;
  std::vector<std::string> alarms;         // the wrong ones, in words
  std::vector<std::string> missed;         // malicious pairs, in words
  std::size_t others = 0;                  // conversations scored that are not malicious
  double average_precision = 0;            // against everything harmless
  double average_precision_aperiodic = 0;  // against what is harmless and keeps no schedule
  std::vector<bool> found;                 // by Labels::malicious
  std::vector<std::size_t> ranks;  // by Labels::malicious, from 1, among the others; 0: not scored

  Class total() const;
  void add(const ScoreCard& other);  // sums counts; average precision becomes a sum, too
};

// A malicious pair counts as found if a claim that covers it is a beacon. A named pair and the
// address pairs that it gathers are one conversation: they raise one alarm.
ScoreCard score(const std::vector<Claim>& claims, const Labels& labels);

}  // namespace beaconry::accuracy
