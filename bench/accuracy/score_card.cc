#include "accuracy/score_card.h"

#include <absl/container/flat_hash_map.h>

#include <algorithm>
#include <cstdio>
#include <tuple>

namespace beaconry::accuracy {
namespace {

using AtAddress = std::tuple<IpAddress, std::uint32_t, IpAddress>;  // source, port, destination
constexpr std::uint32_t kAnyPort = 65536;

// Claims that speak of one conversation.
struct Conversation {
  double score = 0;
  bool is_beacon = false;
  std::vector<const Claim*> claims;
};

std::vector<Conversation> gather(const std::vector<Claim>& claims) {
  std::vector<Conversation> all;
  absl::flat_hash_map<AtAddress, std::size_t> gathered;
  const auto join = [&all](std::size_t at, const Claim& claim) {
    all[at].score = std::max(all[at].score, claim.score);
    all[at].is_beacon = all[at].is_beacon || claim.is_beacon;
    all[at].claims.push_back(&claim);
  };
  for (const Claim& claim : claims) {
    if (!claim.is_named()) continue;
    all.emplace_back();
    join(all.size() - 1, claim);
    for (const IpAddress& address : claim.destinations) {
      gathered.try_emplace({claim.source, claim.port.value_or(kAnyPort), address}, all.size() - 1);
    }
  }
  for (const Claim& claim : claims) {
    if (claim.is_named()) continue;
    const auto known = gathered.find(
        AtAddress{claim.source, claim.port.value_or(kAnyPort), claim.destinations.front()});
    if (known == gathered.end()) {
      all.emplace_back();
      join(all.size() - 1, claim);
    } else {
      join(known->second, claim);
    }
  }
  return all;
}

// Finds labelled pairs by source, where there are few.
class BySource {
 public:
  explicit BySource(const std::vector<LabelledPair>& pairs) : pairs_(pairs) {
    for (std::size_t i = 0; i < pairs.size(); ++i)
      index_[pairs[i].source].push_back(i);
  }
  template <class Each>
  bool each_covered(const Conversation& conversation, Each each) const {
    const auto known = index_.find(conversation.claims.front()->source);
    if (known == index_.end()) return false;
    bool any = false;
    for (const std::size_t at : known->second) {
      for (const Claim* claim : conversation.claims) {
        if (!covers(*claim, pairs_[at])) continue;
        any = true;
        each(at, *claim);
      }
    }
    return any;
  }

 private:
  const std::vector<LabelledPair>& pairs_;
  absl::flat_hash_map<IpAddress, std::vector<std::size_t>> index_;
};

std::string in_words(const Claim& claim, double score) {
  char number[16];
  std::snprintf(number, sizeof number, "%.3f ", score);
  std::string text = number;
  text += claim.source.to_string();
  text += " -> ";
  text += claim.destinations.front().to_string();
  if (claim.is_named()) text.append(" (").append(claim.name).append(")");
  if (claim.port) text.append(" port ").append(std::to_string(*claim.port));
  return text;
}

// The mean over the malicious pairs of the precision at their place in the ranking; of equal
// scores the harmless ones stand first.
double average_precision(std::vector<double> malicious, std::vector<double> others) {
  std::sort(malicious.rbegin(), malicious.rend());
  std::sort(others.rbegin(), others.rend());
  double sum = 0;
  std::size_t above = 0;
  for (std::size_t i = 0; i < malicious.size(); ++i) {
    while (above < others.size() && others[above] >= malicious[i])
      ++above;
    const auto place = static_cast<double>(i + 1);
    sum += place / (place + static_cast<double>(above));
  }
  return malicious.empty() ? 0 : sum / static_cast<double>(malicious.size());
}

}  // namespace

ScoreCard::Class ScoreCard::total() const {
  Class sum;
  for (const auto& [group, one] : classes) {
    sum.found += one.found;
    sum.all += one.all;
  }
  return sum;
}

void ScoreCard::add(const ScoreCard& other) {
  for (const auto& [group, one] : other.classes) {
    classes[group].found += one.found;
    classes[group].all += one.all;
  }
  for (const auto& [group, count] : other.periodic_alarms_by_class) {
    periodic_alarms_by_class[group] += count;
  }
  periodic_alarms += other.periodic_alarms;
  aperiodic_alarms += other.aperiodic_alarms;
  others += other.others;
  average_precision += other.average_precision;
  average_precision_aperiodic += other.average_precision_aperiodic;
}

ScoreCard score(const std::vector<Claim>& claims, const Labels& labels) {
  ScoreCard card;
  card.found.assign(labels.malicious.size(), false);
  std::vector<double> best(labels.malicious.size(), -1);
  std::vector<double> others, aperiodic;
  const BySource malicious(labels.malicious), periodic(labels.periodic), ignored(labels.ignored);
  for (const Conversation& conversation : gather(claims)) {
    const bool bad = malicious.each_covered(conversation, [&](std::size_t at, const Claim& claim) {
      best[at] = std::max(best[at], claim.score);
      if (claim.is_beacon) card.found[at] = true;
    });
    if (bad || ignored.each_covered(conversation, [](std::size_t, const Claim&) {})) continue;
    others.push_back(conversation.score);
    std::string group;
    const bool scheduled = periodic.each_covered(
        conversation, [&](std::size_t at, const Claim&) { group = labels.periodic[at].group; });
    if (!scheduled) aperiodic.push_back(conversation.score);
    if (!conversation.is_beacon) continue;
    card.alarms.push_back((scheduled ? group : std::string("aperiodic")) + ' ' +
                          in_words(*conversation.claims.front(), conversation.score));
    if (scheduled) {
      ++card.periodic_alarms;
      ++card.periodic_alarms_by_class[group];
    } else {
      ++card.aperiodic_alarms;
    }
  }
  card.others = others.size();
  for (std::size_t i = 0; i < labels.malicious.size(); ++i) {
    ScoreCard::Class& group = card.classes[labels.malicious[i].group];
    ++group.all;
    if (card.found[i]) {
      ++group.found;
    } else {
      const LabelledPair& pair = labels.malicious[i];
      card.missed.push_back(
          pair.group + ' ' +
          in_words({pair.source, pair.destinations, pair.name, pair.port, best[i], false},
                   std::max(0.0, best[i])));
    }
    const double own = best[i];
    const auto above = static_cast<std::size_t>(
        std::count_if(others.begin(), others.end(), [own](double s) { return s >= own; }));
    card.ranks.push_back(own < 0 ? 0 : above + 1);
  }
  card.average_precision = average_precision(best, std::move(others));
  card.average_precision_aperiodic = average_precision(std::move(best), std::move(aperiodic));
  return card;
}

}  // namespace beaconry::accuracy
