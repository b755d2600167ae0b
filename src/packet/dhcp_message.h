#pragma once
#include <optional>
#include <string_view>

#include "base/ip_address.h"
#include "packet/found_name.h"

namespace beaconry {

struct DhcpLease {
  IpAddress address;
  std::string_view host_name;  // points into the message
};

// Which host has, or confirms to want, which address under which name (RFC 2131, options 12 and
// 81): from a REQUEST, INFORM or ACK that says both. Offers and discoveries promise nothing.
std::optional<DhcpLease> dhcp_message(ByteView message);

}  // namespace beaconry
