#pragma once
#include <CLI/CLI.hpp>

namespace beaconry {

// CLI11 takes "-1" for a whole number without sign and wraps it round, and "nan" for a number of
// any range. These refuse both.

// As a transform it stands before what converts the text, as a check behind it.
CLI::Validator not_negative();

// A finite number in [least, most].
CLI::Validator number_between(double least, double most);

}  // namespace beaconry
