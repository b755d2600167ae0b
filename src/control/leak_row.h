#pragma once
#include <string>
#include <string_view>

#include "base/result.h"
#include "leak/leak.h"

namespace beaconry {

// A leak as the database keeps it, and back: everything of it.
std::string leak_row(const Leak& leak);
Result<Leak> leak_from_row(std::string_view text);

}  // namespace beaconry
