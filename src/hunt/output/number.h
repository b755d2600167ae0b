#pragma once
#include <array>
#include <string_view>

namespace beaconry {

// A finite number for programs: up to six decimals and at least one, "60.0", "0.123457"; beyond
// 9e12 the shortest text that reads back the same. A view into `buffer`. Several times faster than
// printf, of which a report needs millions.
using NumberBuffer = std::array<char, 64>;
std::string_view six_decimals(double value, NumberBuffer& buffer);

}  // namespace beaconry
