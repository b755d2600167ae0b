#include "hunt/policy.h"

#include <cstdio>
#include <set>
#include <string>
#include <utility>

namespace beaconry {
namespace {

constexpr double kAllOfIt =
    0.95;  // of an address pair's connections under one name: the same traffic

// The entry that covers a pair, of a rotating one all of its addresses; nullptr for none.
const AllowEntry* covered_by(const AllowList& allow, const ScoredPair& pair) {
  const std::string& name = pair.server_name.empty() ? pair.address_name : pair.server_name;
  const AllowEntry* entry = allow.match(pair.key, name);
  PairKey key = pair.key;
  for (const IpAddress& destination : pair.destinations) {
    if (entry == nullptr) break;
    key.destination = destination;
    if (allow.match(key, name) == nullptr) entry = nullptr;
  }
  return entry;
}

void hide(ScoredPair& pair, Hidden why, std::string reason) {
  if (pair.hidden != Hidden::no) return;
  pair.hidden = why;
  pair.hidden_reason = std::move(reason);
}

}  // namespace

void apply_allow_list(const AllowList& allow, HuntReport& report) {
  if (allow.empty()) return;
  for (ScoredPair& pair : report.pairs) {
    const AllowEntry* entry = covered_by(allow, pair);
    if (entry != nullptr)
      hide(pair, Hidden::allow_listed, entry->text + " (" + entry->origin + ")");
  }
}

void apply_baseline(const BenignBaseline& baseline, HuntReport& report) {
  for (ScoredPair& pair : report.pairs) {
    const BenignPattern* pattern = baseline.match(pair.key);
    if (pattern != nullptr) hide(pair, Hidden::baseline, "benign baseline: " + pattern->label);
  }
}

void reveal_represented(HuntReport& report) {
  std::set<std::string> decided;  // identities of named pairs
  for (const ScoredPair& pair : report.pairs) {
    if (pair.kind == PairKind::named && pair.hidden != Hidden::no) decided.insert(pair.identity());
  }
  for (ScoredPair& pair : report.pairs) {
    if (pair.hidden != Hidden::represented || pair.represented_share >= kAllOfIt) continue;
    ScoredPair named = pair;
    named.kind = PairKind::named;
    named.server_name = pair.represented_by;
    if (decided.count(named.identity()) == 0) continue;
    pair.hidden = Hidden::no;
    pair.hidden_reason.clear();
  }
}

void apply_least_score(double least, HuntReport& report) {
  char text[48];
  std::snprintf(text, sizeof text, "below %.2f", least);
  for (ScoredPair& pair : report.pairs) {
    if (pair.verdict.combined_score < least) hide(pair, Hidden::below_score, text);
  }
}

}  // namespace beaconry
