#pragma once
#include "base/ip_address.h"

namespace beaconry {

// Means something in one network alone: RFC 1918, shared (RFC 6598), unique local, link-local or
// loopback. Nobody beyond reaches it.
bool is_private(const IpAddress& address);

}  // namespace beaconry
