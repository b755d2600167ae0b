#pragma once
#include <vector>

#include "base/ip_address.h"

namespace beaconry {

// Which addresses are ours. By default RFC 1918, RFC 4193 (ULA), link-local and loopback.
class Networks {
 public:
  Networks();
  explicit Networks(std::vector<Cidr> internal);

  bool is_internal(const IpAddress& address) const;

 private:
  std::vector<Cidr> internal_;
};

// Who opened a flow that was first seen in its middle, between (a, a_port) and (b, b_port):
// true if a did. The end without a well-known port opens; of two alike, the internal end opens to
// the external one; else the higher port opens, and of equal ports a, which was seen sending first.
bool first_end_opened(const Networks& networks, const IpAddress& a, std::uint16_t a_port,
                      const IpAddress& b, std::uint16_t b_port);

}  // namespace beaconry
