#include "flow/networks.h"

#include <gtest/gtest.h>

namespace beaconry {
namespace {

IpAddress ip(const char* text) {
  return *IpAddress::parse(text);
}

TEST(Networks, DefaultIsPrivateSpace) {
  const Networks networks;
  for (const char* text : {"10.1.2.3", "172.16.0.1", "192.168.1.1", "fd00::1", "fe80::1"}) {
    EXPECT_TRUE(networks.is_internal(ip(text))) << text;
  }
  for (const char* text : {"8.8.8.8", "172.32.0.1", "2001:db8::1"}) {
    EXPECT_FALSE(networks.is_internal(ip(text))) << text;
  }
}

TEST(FirstEndOpened, ServersAreKnownByTheirPortsAndHostsByTheirSide) {
  const Networks networks;
  const auto inside = ip("10.0.0.5"), outside = ip("203.0.113.9");
  EXPECT_TRUE(first_end_opened(networks, inside, 50000, outside, 443));
  EXPECT_FALSE(first_end_opened(networks, outside, 443, inside, 50000));
  EXPECT_FALSE(first_end_opened(networks, inside, 22, outside, 50000));
  EXPECT_FALSE(first_end_opened(networks, outside, 8080, inside, 50000));
  EXPECT_TRUE(first_end_opened(networks, inside, 8219, outside, 50000));
  EXPECT_TRUE(first_end_opened(networks, inside, 50000, ip("10.0.0.6"), 8080));
}

}  // namespace
}  // namespace beaconry
