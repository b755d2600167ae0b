#include "sensor/fleet/image_fetcher.h"

#include "sensor/fleet/test_link.h"

namespace beaconry {
namespace {

using test::FleetPeer;
using testing::HasSubstr;

std::string some_bytes(std::size_t size) {
  std::string bytes;
  for (std::size_t i = 0; bytes.size() < size; ++i)
    bytes += std::to_string(i * i) + ' ';
  bytes.resize(size);
  return bytes;
}

class ImageFetcherTest : public test::LinkTest {
 protected:
  // The server gives so many pieces of the image that is wished for, and refuses the next.
  void launch_with_pieces(const std::string& image, int pieces) {
    peer->with([&](FleetPeer& all) { all.pieces_left = pieces; });
    peer->push(sign(1, wish_of(image)));
    launch();
  }
  bool gave_all_pieces() {
    return wait_for(
        [&] { return peer->with([](FleetPeer& all) { return all.pieces_left == 0; }); });
  }
  void launch_with_the_rest() {
    peer->with([](FleetPeer& all) {
      all.pieces_left = -1;
      all.ranges.clear();
    });
    launch();
  }
  std::size_t files_under_way() {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& file :
         std::filesystem::directory_iterator(folder.path() + "/fleet/images"))
      ++count;
    return count;
  }
};

TEST_F(ImageFetcherTest, GetsAWishedImageOnceForAllThatWishForIt) {
  const std::string image = offer(some_bytes(4500));
  peer->push(sign(1, R"({"instances":{"beacon_0":{"image":")" + image +
                         R"("},"beacon_1":{"image":")" + image + R"("}}})"));
  launch();
  ASSERT_TRUE(wait_for([&] { return has(image); }));
  ASSERT_TRUE(wait_for([&] { return files_under_way() == 0; }));
  peer->with([](FleetPeer& all) { EXPECT_EQ(all.ranges.size(), 5U); });
  EXPECT_TRUE(link->report().health.state == HealthState::healthy);
}

TEST_F(ImageFetcherTest, GoesOnWhereItWasAfterAKill) {
  const std::string image = offer(some_bytes(9500));
  launch_with_pieces(image, 3);
  ASSERT_TRUE(wait_for([&] {
    return fetch_words(image, UpdateState::downloading).find("503") != std::string::npos ||
           fetch_words(image, UpdateState::failed).find("503") != std::string::npos;
  }));
  link.reset();  // nothing is tidied up
  EXPECT_EQ(test::read_text(folder.path() + "/fleet/images/" + image), some_bytes(3000));
  launch_with_the_rest();
  ASSERT_TRUE(wait_for([&] { return has(image); }));
  peer->with([](FleetPeer& all) {
    ASSERT_EQ(all.ranges.size(), 7U);
    EXPECT_EQ(all.ranges.front(), "bytes=3000-3999");
  });
}

TEST_F(ImageFetcherTest, TellsHowFarItIs) {
  const std::string image = offer(some_bytes(9500));
  launch_with_pieces(image, 1);
  // The one piece is told before the next is refused.
  ASSERT_TRUE(wait_for([&] {
    return peer->with([](FleetPeer& all) { return all.pieces_left == 0; }) &&
           !fetch_words(image, UpdateState::downloading).empty();
  }));
  peer->with([](FleetPeer& all) { all.pieces_left = -1; });
  ASSERT_TRUE(wait_for([&] { return has(image); }));
}

TEST_F(ImageFetcherTest, WhatWasDamagedOnDiskIsFetchedAnew) {
  const std::string image = offer(some_bytes(2500));
  launch_with_pieces(image, 2);
  ASSERT_TRUE(gave_all_pieces());
  link.reset();
  test::write_text(folder.path() + "/fleet/images/" + image, std::string(2000, 'x'));
  launch_with_the_rest();
  ASSERT_TRUE(wait_for([&] { return has(image); }));
  peer->with([](FleetPeer& all) {
    EXPECT_EQ(all.ranges.front(), "bytes=2000-2999");
    EXPECT_EQ(all.ranges.at(1), "bytes=0-999");
  });
}

TEST_F(ImageFetcherTest, ACapturedServerCannotBringUnsignedCode) {
  const std::string unsigned_one = offer(some_bytes(1500), "");
  const std::string forged = offer(some_bytes(1600), "forged");
  const std::string other = offer(some_bytes(1700));
  peer->with([&](FleetPeer& all) { all.images[other] = "something else, signed"; });
  peer->push(sign(1, R"({"instances":{"beacon_0":{"image":")" + unsigned_one +
                         R"(","allow_unsigned":true},"beacon_1":{"image":")" + forged +
                         R"(","allow_unsigned":true},"beacon_2":{"image":")" + other + R"("}}})"));
  launch();
  ASSERT_TRUE(wait_for([&] {
    return !fetch_words(unsigned_one, UpdateState::failed).empty() &&
           !fetch_words(forged, UpdateState::failed).empty() &&
           fetch_words(other, UpdateState::failed).find("another file") != std::string::npos;
  }));
  EXPECT_THAT(fetch_words(unsigned_one, UpdateState::failed), HasSubstr("no signature"));
  EXPECT_THAT(fetch_words(forged, UpdateState::failed), HasSubstr("not signed by a key"));
  sensor.with([](test::NotingSensor& all) {
    EXPECT_TRUE(all.taken.empty());
    for (const auto& [name, wish] : all.wish.instances)
      EXPECT_FALSE(wish.allow_unsigned) << name;
  });
  EXPECT_EQ(link->report().health.state, HealthState::degraded);
}

TEST_F(ImageFetcherTest, UnsignedCodeComesWhereThisMachineAllowsIt) {
  allow_unsigned = true;
  const std::string image = offer(some_bytes(1500), "");
  peer->push(sign(1, wish_of(image, R"(,"allow_unsigned":true)")));
  launch();
  EXPECT_TRUE(wait_for([&] { return has(image); }));
}

TEST_F(ImageFetcherTest, WhatHasNoRoomIsNotBegun) {
  const std::string image = offer(some_bytes(9500));
  free_bytes = 1000;
  peer->push(sign(1, wish_of(image)));
  launch();
  ASSERT_TRUE(wait_for([&] {
    return fetch_words(image, UpdateState::failed).find("no room") != std::string::npos;
  }));
  EXPECT_LE(test::read_text(folder.path() + "/fleet/images/" + image).size(), 0U);
  link.reset();
  free_bytes = std::uint64_t{1} << 40;
  sensor.with([](test::NotingSensor& all) { all.pool = {10'000, 9'000}; });
  launch();
  ASSERT_TRUE(wait_for([&] {
    return fetch_words(image, UpdateState::failed).find("storage pool") != std::string::npos;
  }));
  EXPECT_FALSE(has(image));
}

TEST_F(ImageFetcherTest, WhatFailedStaysFailedWhileItIsTriedAgain) {
  const std::string image = sha256_hex("nowhere");
  peer->with([&](FleetPeer& all) { all.signatures[image] = "good"; });
  peer->push(sign(1, wish_of(image)));
  launch();
  ASSERT_TRUE(wait_for([&] { return peer->with([](FleetPeer& all) { return all.unknown > 2; }); }));
  link.reset();
  sensor.with([&](test::NotingSensor& all) {
    std::vector<ImageFetch> seen;
    for (const ImageFetches& told : all.told) {
      const auto found = told.find(image);
      if (found == told.end() || (seen.empty() && found->second.state != UpdateState::failed))
        continue;
      seen.push_back(found->second);
    }
    ASSERT_GT(seen.size(), 1U);
    for (const ImageFetch& one : seen) {
      EXPECT_EQ(one.state, UpdateState::failed);
      EXPECT_EQ(one.since, seen.front().since);
    }
  });
}

TEST_F(ImageFetcherTest, WhatIsHereAlreadyLeavesNothingUnderWay) {
  const std::string bytes = some_bytes(9500), image = offer(bytes);
  launch_with_pieces(image, 2);
  ASSERT_TRUE(gave_all_pieces());
  // Somebody brings it by hand.
  const std::string file = folder.path() + "/carried";
  test::write_text(file, bytes);
  ASSERT_TRUE(sensor.add_image(file));
  EXPECT_TRUE(wait_for([&] { return files_under_way() == 0; }));
}

TEST_F(ImageFetcherTest, WhatIsWishedNoMoreIsDropped) {
  const std::string image = offer(some_bytes(9500));
  launch_with_pieces(image, 2);
  ASSERT_TRUE(gave_all_pieces());
  peer->push(sign(2, R"({"instances":{}})"));
  ASSERT_TRUE(obeys(2));
  EXPECT_TRUE(wait_for([&] { return files_under_way() == 0; }));
}

}  // namespace
}  // namespace beaconry
