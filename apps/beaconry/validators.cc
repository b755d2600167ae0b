#include "validators.h"

#include <cmath>
#include <sstream>

#include "base/text.h"

namespace beaconry {

CLI::Validator not_negative() {
  return CLI::Validator(
      [](std::string& text) {
        const std::string_view number = trim(text);
        return !number.empty() && number.front() == '-' ? text + " is negative" : std::string();
      },
      "");
}

CLI::Validator number_between(double least, double most) {
  std::ostringstream range;
  range << "between " << least << " and " << most;
  return CLI::Validator(
      [least, most, words = range.str()](std::string& text) {
        const auto number = parse_number(text);
        const bool fits = number && std::isfinite(*number) && *number >= least && *number <= most;
        return fits ? std::string() : text + " is no number " + words;
      },
      "");
}

}  // namespace beaconry
