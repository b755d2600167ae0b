#include "home/sightings.h"

#include <gtest/gtest.h>

namespace beaconry {
namespace {

constexpr Timestamp kNow{std::chrono::seconds{1'700'000'000}};
constexpr std::size_t kSniffer = 0, kSocket = 1;

TEST(Sightings, OnePacketAtTwoPlacesIsOneInWhateverOrder) {
  const std::uint8_t a[] = {1, 2, 3}, b[] = {1, 2, 4};
  Sightings sightings;
  EXPECT_TRUE(sightings.add(a, kSniffer, kNow).is_new);
  EXPECT_FALSE(sightings.add(a, kSocket, kNow).is_new);
  EXPECT_TRUE(sightings.add(b, kSocket, kNow).is_new);
  EXPECT_FALSE(sightings.add(b, kSniffer, kNow).is_new);
}

TEST(Sightings, PacketsThatCameTwiceAreTwo) {
  const std::uint8_t a[] = {1, 2, 3};
  Sightings sightings;
  unsigned packets = 0;
  for (const std::size_t place : {kSniffer, kSniffer, kSocket, kSocket, kSocket, kSniffer}) {
    if (sightings.add(a, place, kNow).is_new) ++packets;
  }
  EXPECT_EQ(packets, 3U);
}

TEST(Sightings, WhatCameLongAgoIsForgotten) {
  const std::uint8_t a[] = {1, 2, 3};
  Sightings sightings;
  EXPECT_TRUE(sightings.add(a, kSniffer, kNow).is_new);
  EXPECT_TRUE(
      sightings.add(a, kSocket, kNow + Sightings::kMemory + std::chrono::seconds{1}).is_new);
}

}  // namespace
}  // namespace beaconry
