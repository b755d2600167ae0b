#include "hunt/output/find_pair.h"

#include <vector>

#include "base/text.h"

namespace beaconry {
namespace {

constexpr std::size_t kMostNamed = 5;

bool has_end(const ScoredPair& pair, std::string_view end) {
  return pair.server_name == end || pair.address_name == end ||
         ascii_lower(pair.source_name) == end || pair.key.source.to_string() == end ||
         pair.key.destination.to_string() == end;
}

}  // namespace

Result<const ScoredPair*> find_pair(const HuntReport& report, std::string_view key) {
  const std::string wanted = ascii_lower(trim(key));
  const auto parsed = PairKey::parse(trim(key));
  const ScoredPair* by_key = nullptr;
  std::vector<const ScoredPair*> by_end;
  for (const ScoredPair& pair : report.pairs) {
    if (parsed && pair.key == *parsed) {
      if (pair.kind == PairKind::address) return &pair;
      by_key = by_key == nullptr ? &pair : by_key;
    }
    if (!parsed) {
      if (ascii_lower(pair.identity()) == wanted) return &pair;
      if (shown_by_default(pair) && has_end(pair, wanted)) by_end.push_back(&pair);
    }
  }
  if (by_key != nullptr) return by_key;
  if (by_end.size() == 1) return by_end.front();
  if (by_end.size() > 1) {
    std::string which;
    for (std::size_t i = 0; i < by_end.size() && i < kMostNamed; ++i)
      which += (i == 0 ? "" : ", ") + terminal_safe(by_end[i]->identity());
    if (by_end.size() > kMostNamed) which += ", ...";
    return fail(ErrorKind::usage, "explain", terminal_safe(key),
                with_thousands(by_end.size()) + " listed pairs have it: " + which);
  }
  std::vector<std::string> identities;
  for (const ScoredPair& pair : report.pairs)
    identities.push_back(pair.identity());
  const std::vector<std::string_view> candidates(identities.begin(), identities.end());
  const std::string_view nearest = nearest_word(trim(key), candidates);
  return fail(ErrorKind::not_found, "explain", terminal_safe(key),
              "no scored pair has this key" +
                  (nearest.empty() ? std::string("; --all --format csv lists them all")
                                   : "; did you mean " + terminal_safe(nearest) + "?"));
}

}  // namespace beaconry
