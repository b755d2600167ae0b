#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace beaconry {

// What people write on a sensor to find it by: site -> oulu. Keys and values are 1 to 63 letters,
// digits, '.', '_', '-'.
using Labels = std::map<std::string, std::string, std::less<>>;
Result<void> check_labels(const Labels& labels);
using LabelChanges = std::map<std::string, std::optional<std::string>, std::less<>>;  // null: none

// Which sensors a group speaks of: terms with commas between them, all of which must hold.
//   site=oulu   has this value      site!=oulu   has another one, or no such label
//   site        has the label       !site        has it not
class Selector {
 public:
  static Result<Selector> parse(std::string_view text);
  bool matches(const Labels& labels) const;
  std::string to_string() const;

 private:
  struct Term {
    std::string key, value;  // empty value: only whether the label is there
    bool negated = false;
  };
  std::vector<Term> terms_;
};

}  // namespace beaconry
