#pragma once
#include <string>
#include <string_view>

namespace beaconry {

// Is `text` what src/hunt/output/golden/NAME holds? Empty if so, else the first line that differs.
// With BEACONRY_WRITE_GOLDEN set in the environment the file is written instead.
std::string differs_from_golden(std::string_view name, const std::string& text);

}  // namespace beaconry
