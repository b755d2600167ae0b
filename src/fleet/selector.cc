#include "fleet/selector.h"

#include <algorithm>

#include "base/text.h"

namespace beaconry {
namespace {

constexpr std::size_t kLongestWord = 63, kMostLabels = 64, kMostTerms = 32;
constexpr std::size_t kLongestSelector = 4096;

bool is_word(std::string_view text) {
  return !text.empty() && text.size() <= kLongestWord &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '.' || c == '_' || c == '-';
         });
}

constexpr std::string_view kWordRule =
    "write 1 to 63 letters, digits, '.', '_' and '-', as in site=oulu";

}  // namespace

Result<void> check_labels(const Labels& labels) {
  if (labels.size() > kMostLabels) return fail(ErrorKind::limit, "set", "labels", "at most 64");
  for (const auto& [key, value] : labels) {
    if (is_word(key) && is_word(value)) continue;
    return fail(ErrorKind::usage, "set", "label '" + terminal_safe(key + '=' + value) + '\'',
                std::string(kWordRule));
  }
  return {};
}

Result<Selector> Selector::parse(std::string_view text) {
  const auto refuse = [&](std::string cause) {
    return fail(ErrorKind::usage, "read",
                "selector '" + terminal_safe(text.substr(0, kLongestSelector)) + '\'',
                std::move(cause));
  };
  if (trim(text).empty())
    return refuse("it is empty: name a label; for every sensor there is the fleet's own document");
  if (text.size() > kLongestSelector) return refuse("it is longer than 4,096 characters");
  Selector selector;
  for (const std::string_view part : split(text, ',')) {
    std::string_view term = trim(part);
    const auto wrong = [&] {
      return refuse("'" + terminal_safe(term) +
                    "' is none of key=value, key!=value, key and !key; " + std::string(kWordRule));
    };
    Term read;
    if (const std::size_t at = term.find('='); at != std::string_view::npos) {
      read.negated = at > 0 && term[at - 1] == '!';
      read.key = trim(term.substr(0, read.negated ? at - 1 : at));
      read.value = trim(term.substr(at + 1));
      if (!is_word(read.value)) return wrong();
    } else {
      read.negated = term.starts_with('!');
      read.key = trim(term.substr(read.negated ? 1 : 0));
    }
    if (!is_word(read.key)) return wrong();
    selector.terms_.push_back(std::move(read));
    if (selector.terms_.size() > kMostTerms) return refuse("it has more than 32 terms");
  }
  return selector;
}

bool Selector::matches(const Labels& labels) const {
  return std::all_of(terms_.begin(), terms_.end(), [&](const Term& term) {
    const auto label = labels.find(term.key);
    const bool holds = label != labels.end() && (term.value.empty() || label->second == term.value);
    return holds != term.negated;
  });
}

std::string Selector::to_string() const {
  std::string text;
  for (const Term& term : terms_) {
    if (!text.empty()) text += ',';
    if (term.value.empty()) {
      text += (term.negated ? "!" : "") + term.key;
    } else {
      text += term.key + (term.negated ? "!=" : "=") + term.value;
    }
  }
  return text;
}

}  // namespace beaconry
