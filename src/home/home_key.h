#pragma once
#include <string>

#include "base/result.h"
#include "ping/keys.h"

namespace beaconry {

// Home's own keys, of the seed in `folder`/home.key: 64 hex digits, mode 0600. Made if the file is
// missing; refused if others may read it.
Result<PartyKeys> open_home_key(const std::string& folder);

}  // namespace beaconry
