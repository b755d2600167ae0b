#pragma once

#include <string>

namespace beaconry {

int shell(const std::string& command);  // its exit status
std::string output_of(const std::string& command);

}  // namespace beaconry
