#pragma once
#include <vector>

#include "base/ip_address.h"

namespace beaconry {

// An IPv4 address as NAT64 translators see it: behind the well-known prefix 64:ff9b::/96, and
// behind 64:ff9b:1::/48 for networks' own use (RFC 8215) in the two layouts of RFC 6052 §2.2 that
// are in use. REQUIRES v4.is_v4().
std::vector<IpAddress> translated_forms(const IpAddress& v4);

}  // namespace beaconry
