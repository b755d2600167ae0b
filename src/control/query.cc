#include "control/query.h"

#include <cstdio>

#include "base/text.h"
#include "control/answer.h"

namespace beaconry {
namespace {

std::string plainly(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", value);
  return text;
}

}  // namespace

std::optional<std::string> Query::text(std::string_view name) const {
  for (const auto& [key, value] : parameters_) {
    if (key == name && !value.empty()) return value;
  }
  return std::nullopt;
}

double Query::number(std::string_view name, double fallback, double least, double most) {
  const auto given = text(name);
  if (!given) return fallback;
  const auto value = parse_number(*given);
  if (value && *value >= least && *value <= most) return *value;
  refuse(std::string(name) + " must be a number from " + plainly(least) + " to " + plainly(most));
  return fallback;
}

std::uint64_t Query::count(std::string_view name, std::uint64_t fallback, std::uint64_t least,
                           std::uint64_t most) {
  const auto given = text(name);
  if (!given) return fallback;
  const auto value = parse_unsigned(*given);
  if (value && *value >= least && *value <= most) return *value;
  refuse(std::string(name) + " must be a whole number from " + std::to_string(least) + " to " +
         std::to_string(most));
  return fallback;
}

Query::Page Query::page() {
  constexpr std::uint64_t kMostFirst = 10'000'000;
  Page page;
  page.first = count("cursor", 0, 0, kMostFirst);
  page.limit = count("limit", 10'000, 1, 10'000);
  return page;
}

bool Query::flag(std::string_view name) {
  for (const auto& [key, value] : parameters_) {
    if (key != name) continue;
    if (value.empty() || value == "true" || value == "1" || value == "yes") return true;
    if (value == "false" || value == "0" || value == "no") return false;
    refuse(std::string(name) + " must be true or false");
  }
  return false;
}

void Query::refuse(std::string words) {
  if (!refusal_) refusal_ = error_answer(400, words);
}

}  // namespace beaconry
