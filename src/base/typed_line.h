#pragma once
#include <cstdio>
#include <optional>
#include <string>

#include "base/result.h"

namespace beaconry {

// A line from standard input, asked for by `words` on `out`; `hidden`: a terminal does not show
// what is typed. Nothing at the input's end.
std::optional<std::string> typed_line(const char* words, bool hidden, std::FILE* out);
// A new password, typed twice, hidden. Errors: not typed the same, or the input's end.
Result<std::string> typed_password(std::FILE* out);

}  // namespace beaconry
