#include "base/private_address.h"

#include <gtest/gtest.h>

namespace beaconry {
namespace {

TEST(APrivateAddress, MeansSomethingInOneNetworkAlone) {
  for (const char* inside : {"10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.2",
                             "100.64.0.1", "169.254.1.1", "127.0.0.1", "fd00::1", "fe80::1", "::1"})
    EXPECT_TRUE(is_private(*IpAddress::parse(inside))) << inside;
  for (const char* outside : {"9.255.255.255", "11.0.0.1", "172.32.0.1", "192.169.0.1",
                              "100.128.0.1", "203.0.113.10", "2001:db8::1"})
    EXPECT_FALSE(is_private(*IpAddress::parse(outside))) << outside;
}

}  // namespace
}  // namespace beaconry
