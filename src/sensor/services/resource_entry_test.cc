#include "sensor/services/resource_entry.h"

#include <gtest/gtest.h>

namespace beaconry {
namespace {

using namespace std::chrono_literals;

constexpr Timestamp kStart{std::chrono::hours{24 * 365 * 50}};
const std::string kOld(64, 'a'), kNew(64, 'b');

ResourceWish wish() {
  ResourceWish one;
  one.name = "beaconry-escape";
  one.url = "http://updates.example/beaconry-escape";
  one.every = 600s;
  return one;
}

TEST(ResourceEntry, IsTriedAgainAfterOneFiveTenFifteenThirtyAndSixtyMinutes) {
  ResourceEntry entry(wish(), kStart, kStart);
  EXPECT_TRUE(entry.is_due(kStart));
  Timestamp now = kStart;
  for (const auto pause : {1min, 5min, 10min, 15min, 30min, 60min, 60min}) {
    entry.downloading(now);
    EXPECT_FALSE(entry.is_due(now + 10h));
    entry.failed("404", now, now);
    EXPECT_EQ(entry.state, UpdateState::failed);
    EXPECT_EQ(entry.retry, now + pause);
    EXPECT_FALSE(entry.is_due(now + pause - 1s));
    now += pause;
    EXPECT_TRUE(entry.is_due(now));
  }
  entry.downloading(now);
  entry.installing(kNew, "tag", now);
  entry.confirmed(now, now);
  EXPECT_FALSE(entry.is_due(now + 599s));
  EXPECT_TRUE(entry.is_due(now + 600s));
  entry.failed("404", now, now);
  EXPECT_EQ(entry.retry, now + 1min);  // from the beginning
  entry.hurry(now);
  EXPECT_TRUE(entry.is_due(now));
}

TEST(ResourceEntry, WhatWasRolledBackIsRefusedFromThenOn) {
  ResourceEntry entry(wish(), kStart, kStart);
  entry.installing(kOld, "1", kStart);
  entry.confirmed(kStart, kStart);
  entry.installing(kNew, "2", kStart);
  EXPECT_EQ(entry.installed, kNew);
  EXPECT_EQ(entry.previous, kOld);
  entry.rolled_back("not healthy", kStart, kStart);
  EXPECT_EQ(entry.installed, kOld);
  EXPECT_EQ(entry.state, UpdateState::failed);
  EXPECT_TRUE(entry.is_refused(kNew));
  EXPECT_FALSE(entry.is_refused(kOld));
}

TEST(ResourceEntry, SurvivesARestart) {
  ResourceEntry entry(wish(), kStart, kStart);
  entry.installing(kOld, "1", kStart);
  entry.confirmed(kStart, kStart);
  entry.installing(kNew, "2", kStart);
  auto again = ResourceEntry::restore(entry.kept(), kStart, kStart);
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->is_installing());
  EXPECT_EQ(again->previous, kOld);
  EXPECT_EQ(again->installed, kNew);
  EXPECT_EQ(again->wish.url, entry.wish.url);
  entry.rolled_back("bad", kStart, kStart);
  again = ResourceEntry::restore(entry.kept(), kStart, kStart);
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->is_refused(kNew));
  EXPECT_FALSE(again->is_due(kStart));
  EXPECT_TRUE(again->is_due(kStart + 1min));
  entry.downloading(kStart);
  again = ResourceEntry::restore(entry.kept(), kStart, kStart);
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->is_due(kStart));  // what was on its way begins anew
  for (const char* damaged : {"", "[]", "{}", R"({"name":"../x","url":"http://a"})"})
    EXPECT_FALSE(ResourceEntry::restore(damaged, kStart, kStart)) << damaged;
}

TEST(ResourceEntry, AnotherWishUnderTheSameNameIsFetchedAtOnce) {
  ResourceEntry entry(wish(), kStart, kStart);
  entry.installing(kOld, "1", kStart);
  entry.confirmed(kStart, kStart);
  entry.wish_again(wish(), kStart, kStart);
  EXPECT_EQ(entry.state, UpdateState::installed);
  EXPECT_FALSE(entry.is_due(kStart));
  ResourceWish other = wish();
  other.url = "http://elsewhere.example/x";
  entry.wish_again(other, kStart, kStart);
  EXPECT_TRUE(entry.is_due(kStart));
  EXPECT_EQ(entry.etag, "");
  EXPECT_EQ(entry.installed, kOld);
}

TEST(ResourceEntry, AnotherUrlAfterAFailureWaitsAsLongAsThatOne) {
  ResourceEntry entry(wish(), kStart, kStart);
  ResourceWish other = wish();
  Timestamp now = kStart;
  for (const auto pause : {1min, 5min, 10min}) {
    entry.failed("404", now, now);
    other.url += "x";
    entry.wish_again(other, now, now);
    EXPECT_FALSE(entry.is_due(now + pause - 1s));
    now += pause;
    EXPECT_TRUE(entry.is_due(now));
  }
  entry.failed("404", now, now);
  entry.hurry(now);  // somebody wrote another configuration
  other.url += "x";
  entry.wish_again(other, now, now);
  EXPECT_TRUE(entry.is_due(now));
}

TEST(ResourceEntry, WishesThatCannotBeTakenAreTold) {
  EXPECT_EQ(ResourceEntry::why_not(wish()), "");
  const auto bad = [](auto change) {
    ResourceWish one = wish();
    change(one);
    return ResourceEntry::why_not(one) != "";
  };
  EXPECT_TRUE(bad([](ResourceWish& one) { one.name = ".store"; }));
  EXPECT_TRUE(bad([](ResourceWish& one) { one.name = "a/b"; }));
  EXPECT_TRUE(bad([](ResourceWish& one) { one.name = ""; }));
  EXPECT_TRUE(bad([](ResourceWish& one) { one.url = "file:///etc/shadow"; }));
  EXPECT_TRUE(bad([](ResourceWish& one) { one.sha256 = "abc"; }));
  EXPECT_TRUE(bad([](ResourceWish& one) { one.most_bytes = 1ULL << 40; }));
}

}  // namespace
}  // namespace beaconry
