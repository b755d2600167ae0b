#include "flow/networks.h"

#include <algorithm>
#include <utility>

namespace beaconry {

Networks::Networks() {
  for (const char* block : {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7",
                            "169.254.0.0/16", "fe80::/10", "127.0.0.0/8", "::1/128"}) {
    internal_.push_back(*Cidr::parse(block));
  }
}

Networks::Networks(std::vector<Cidr> internal) : internal_(std::move(internal)) {}

bool Networks::is_internal(const IpAddress& address) const {
  return std::any_of(internal_.begin(), internal_.end(),
                     [&](const Cidr& block) { return block.contains(address); });
}

bool first_end_opened(const Networks& networks, const IpAddress& a, std::uint16_t a_port,
                      const IpAddress& b, std::uint16_t b_port) {
  // Well-known ports say more than the side: outside opens to inside servers, too.
  constexpr std::uint16_t kEphemeral = 1024;
  const bool a_serves = a_port < kEphemeral, b_serves = b_port < kEphemeral;
  if (a_serves != b_serves) return b_serves;
  const bool a_inside = networks.is_internal(a), b_inside = networks.is_internal(b);
  if (a_inside != b_inside) return a_inside;
  return a_port >= b_port;
}

}  // namespace beaconry
