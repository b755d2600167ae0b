#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "hunt/scored_pair.h"

namespace beaconry {

// The words that every output uses for the same thing. Texts from inputs come back raw: who shows
// them escapes them.

// The score as people see it: 0..100 with one decimal. It is a rank, not a probability.
std::string score_words(double score);
// "CRITICAL" ... "LOW"; "NONE" below.
std::string severity_words(Confidence confidence);

// One end of a pair: what it is called first, and what stands behind it in brackets.
struct EndWords {
  std::string main, aside;
  std::string to_string() const { return aside.empty() ? main : main + " (" + aside + ")"; }
};
EndWords source_words(const ScoredPair& pair);       // 10.0.0.100 (pc7)
EndWords destination_words(const ScoredPair& pair);  // cdn.evil.tld (14 addresses)

std::string port_words(const PairKey& key);  // a dash for ICMP, which has none

// "60.0s"; a dash where there is none.
std::string interval_words(double seconds);
// The same of a verdict, for a column: of two sleeps both, "9.1s/14.1s", and no jitter.
std::string rhythm_interval_words(const Verdict& verdict);
std::string rhythm_jitter_words(const Verdict& verdict);
std::string jitter_words(double percent);  // "20%"

std::string_view hidden_word(Hidden hidden);           // "below_score", for programs
std::string hidden_words(const ScoredPair& p);         // "stood for by cdn.evil.tld", for people
std::string_view change_word(Change change);           // "NEW"; empty for none
std::string why_words(const ScoredPair& pair);         // summary, what changed, an earlier decision
std::string_view signal_title(std::string_view name);  // "cv" -> "Interval variation"
std::string adjustment_title(std::string_view name);   // "fan_out" -> "Fan out"

// The sleep loop in one sentence; empty where no model fits.
std::string sleep_model_words(const Rhythm& rhythm);
// Every further fact that the rhythm tells, one sentence each.
std::vector<std::string> rhythm_facts(const Rhythm& rhythm);

// Contributions as people see them, in tenths of a point: rounded so that they add up to the
// score shown. Signals first, then adjustments.
std::vector<long> shown_tenths(const Verdict& verdict);
std::string tenths_words(long tenths, bool with_sign);  // 347 -> "34.7"

}  // namespace beaconry
