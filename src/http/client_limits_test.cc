#include "http/client_limits.h"

#include <gtest/gtest.h>

namespace beaconry {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const ClientLimits::Clock::time_point kStart{seconds{1'000}};

IpAddress address(const char* text) {
  return *IpAddress::parse(text);
}

TEST(ClientLimits, BoundConnectionsOfAnAddress) {
  ClientLimits limits(2, 0);
  const auto one = limits.connect(address("10.0.0.1"), kStart);
  ASSERT_TRUE(one);
  EXPECT_TRUE(limits.connect(address("10.0.0.1"), kStart));
  EXPECT_FALSE(limits.connect(address("10.0.0.1"), kStart));
  EXPECT_TRUE(limits.connect(address("10.0.0.2"), kStart));
  limits.disconnect(*one);
  EXPECT_TRUE(limits.connect(address("10.0.0.1"), kStart));
  EXPECT_FALSE(limits.connect(address("10.0.0.1"), kStart));
}

TEST(ClientLimits, TakeAnIpv6SubnetForOneClient) {
  ClientLimits limits(1, 0);
  EXPECT_TRUE(limits.connect(address("2001:db8::1"), kStart));
  EXPECT_FALSE(limits.connect(address("2001:db8::2:3"), kStart));
  EXPECT_TRUE(limits.connect(address("2001:db8:0:1::1"), kStart));
}

TEST(ClientLimits, LetLoopbackConnectAsItLikes) {
  ClientLimits limits(1, 0);
  for (int i = 0; i < 10; ++i)
    EXPECT_TRUE(limits.connect(address("127.0.0.1"), kStart));
}

TEST(ClientLimits, LetLoopbackAskAsItLikes) {
  ClientLimits limits(0, 0.1);
  for (const char* text : {"127.0.0.1", "127.0.0.1", "127.0.0.9", "::1", "::1"})
    EXPECT_EQ(limits.request(address(text), kStart), seconds{0}) << text;
}

TEST(ClientLimits, AllowTenSecondsBurstThenTheRate) {
  ClientLimits limits(0, 2);
  const IpAddress client = address("10.0.0.1");
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(limits.request(client, kStart), seconds{0}) << i;
  EXPECT_EQ(limits.request(client, kStart), seconds{1});
  EXPECT_EQ(limits.request(address("10.0.0.2"), kStart), seconds{0});
  EXPECT_EQ(limits.request(client, kStart + milliseconds{500}), seconds{0});
  EXPECT_NE(limits.request(client, kStart + milliseconds{500}), seconds{0});
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(limits.request(client, kStart + seconds{100}), seconds{0}) << i;
  EXPECT_NE(limits.request(client, kStart + seconds{100}), seconds{0});
}

TEST(ClientLimits, KeepABoundedNumberOfClients) {
  ClientLimits limits(0, 0.1, 4);
  // Four clients that have asked hold all places; strangers share the fifth.
  for (const char* text : {"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5"})
    EXPECT_EQ(limits.request(address(text), kStart), seconds{0});
  EXPECT_NE(limits.request(address("10.0.0.6"), kStart), seconds{0});
  // In time their buckets are full again, and they are forgotten.
  const auto later = kStart + seconds{100};
  EXPECT_EQ(limits.request(address("10.0.0.6"), later), seconds{0});
  EXPECT_EQ(limits.request(address("10.0.0.7"), later), seconds{0});
}

}  // namespace
}  // namespace beaconry
