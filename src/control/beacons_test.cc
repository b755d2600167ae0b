#include "control/beacons.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace beaconry {
namespace {

constexpr Timestamp kNow{std::chrono::seconds{1'800'000'000}};
constexpr auto kMinute = std::chrono::minutes{1};

Beacons::Beacon beacon(const std::string& identity, double score, Timestamp time = kNow) {
  Beacons::Beacon made;
  made.identity = identity;
  made.verdict = R"({"combined_score":1})";
  made.score = score;
  made.severity = score >= 0.9 ? 3 : 1;
  made.first_flagged = made.last_flagged = made.analyzed = time;
  made.watch = "state of " + identity;
  return made;
}

class BeaconsTest : public testing::Test {
 protected:
  void save(std::vector<Beacons::Beacon> beacons) {
    const auto done = beacons_->save(beacons);
    ASSERT_TRUE(done) << done.error().message();
  }
  std::unique_ptr<Database> database_ = std::move(*Database::open(""));
  std::unique_ptr<Beacons> beacons_ = std::move(*Beacons::open(*database_));
};

TEST_F(BeaconsTest, AStoreIsEmptyUntilAnythingWasSaved) {
  EXPECT_TRUE(*beacons_->empty());
  save({});
  EXPECT_FALSE(*beacons_->empty());
  save({beacon("a", 0.8)});
  EXPECT_EQ(*beacons_->remove_all(), 1U);
  EXPECT_FALSE(*beacons_->empty());
}

TEST_F(BeaconsTest, ABeaconKeepsItsFirstTimeAndTakesTheNewVerdict) {
  save({beacon("a", 0.8)});
  auto later = beacon("a", 0.95, kNow + kMinute);
  later.verdict = "{}";
  save({later});
  const auto found = beacons_->find("a");
  ASSERT_TRUE(found);
  ASSERT_TRUE(*found);
  EXPECT_EQ((*found)->first_flagged, kNow);
  EXPECT_EQ((*found)->last_flagged, kNow + kMinute);
  EXPECT_EQ((*found)->verdict, "{}");
  EXPECT_EQ((*found)->watch, "state of a");
  EXPECT_FALSE(*beacons_->find("b"));
}

TEST_F(BeaconsTest, PagesAreInOrderOfScoreAndMissNothing) {
  std::vector<Beacons::Beacon> made;
  for (int i = 0; i < 25; ++i)
    made.push_back(beacon("pair " + std::to_string(i), 0.7 + i % 3 * 0.1));
  made.push_back(beacon("weak", 0.2));
  made.push_back(beacon("left", 0.99));
  made.back().gone = true;
  save(made);
  Beacons::Query query;
  query.least_score = 0.5;
  query.limit = 10;
  std::vector<std::string> seen;
  double last = 1;
  do {
    const auto page = beacons_->page(query);
    ASSERT_TRUE(page) << page.error().message();
    EXPECT_EQ(page->count, 25U);
    for (const auto& each : page->beacons) {
      EXPECT_LE(each.score, last);
      last = each.score;
      seen.push_back(each.identity);
    }
    query.cursor = page->next;
  } while (!query.cursor.empty());
  EXPECT_EQ(seen.size(), 25U);
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(std::unique(seen.begin(), seen.end()), seen.end());
  query.with_gone = true;
  EXPECT_EQ(beacons_->page(query)->beacons[0].identity, "left");
  query.cursor = "nonsense";
  EXPECT_FALSE(beacons_->page(query));
}

TEST_F(BeaconsTest, TheHistoryHoldsWhatChangedWithinItsBound) {
  save({beacon("a", 0.8)});
  save({beacon("a", 0.801, kNow + kMinute)});      // as before
  save({beacon("a", 0.85, kNow + 2 * kMinute)});   // another score
  save({beacon("a", 0.85, kNow + 62 * kMinute)});  // an hour later
  const auto points = beacons_->history("a");
  ASSERT_TRUE(points);
  ASSERT_EQ(points->size(), 3U);
  EXPECT_EQ((*points)[1].time, kNow + 2 * kMinute);
  EXPECT_EQ((*points)[1].score, 0.85);
  std::vector<Beacons::Beacon> many;
  for (int i = 0; i < 600; ++i)
    many.push_back(beacon("b", i % 2 ? 0.7 : 0.8, kNow + i * kMinute));
  save(many);
  const auto bounded = beacons_->history("b");
  ASSERT_EQ(bounded->size(), Beacons::kMostPoints);
  EXPECT_EQ(bounded->back().time, kNow + 599 * kMinute);
}

TEST_F(BeaconsTest, RemovingAndExpiringTakeTheHistoryAlong) {
  save({beacon("a", 0.8), beacon("b", 0.8, kNow + kMinute)});
  EXPECT_EQ(*beacons_->expire(kNow + kMinute), 1U);
  EXPECT_TRUE(beacons_->history("a")->empty());
  EXPECT_EQ(beacons_->history("b")->size(), 1U);
  EXPECT_TRUE(*beacons_->remove("b"));
  EXPECT_FALSE(*beacons_->remove("b"));
  EXPECT_TRUE(beacons_->history("b")->empty());
  EXPECT_TRUE(beacons_->all()->empty());
}

TEST_F(BeaconsTest, CountsWhatWasEverRemoved) {
  save({beacon("a", 0.8), beacon("b", 0.8), beacon("c", 0.8, kNow + kMinute)});
  EXPECT_EQ(*beacons_->removals(), 0U);
  EXPECT_TRUE(*beacons_->remove("a"));
  save({beacon("a", 0.8), beacon("b", 0.9)});
  EXPECT_EQ(*beacons_->removals(), 1U);
  EXPECT_EQ(*beacons_->remove_all(), 3U);
  beacons_ = std::move(*Beacons::open(*database_));
  EXPECT_EQ(*beacons_->removals(), 4U);
}

}  // namespace
}  // namespace beaconry
