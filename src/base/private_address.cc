#include "base/private_address.h"

#include <algorithm>
#include <array>

namespace beaconry {

bool is_private(const IpAddress& address) {
  static const std::array<Cidr, 5> kBlocks{
      *Cidr::parse("10.0.0.0/8"), *Cidr::parse("172.16.0.0/12"), *Cidr::parse("192.168.0.0/16"),
      *Cidr::parse("100.64.0.0/10"), *Cidr::parse("fc00::/7")};
  return address.is_loopback() || address.is_link_local() ||
         std::any_of(kBlocks.begin(), kBlocks.end(),
                     [&](const Cidr& block) { return block.contains(address); });
}

}  // namespace beaconry
