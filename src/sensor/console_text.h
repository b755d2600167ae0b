#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace beaconry {

// What a program wrote to a console, as lines of text: without colours and other escapes of
// terminals, a line that was written over and over (CR) as it was last, invalid UTF-8 and control
// characters made visible. Of a longer one the end, from the beginning of a line.
std::string console_text(std::string_view written, std::size_t most_bytes);

}  // namespace beaconry
