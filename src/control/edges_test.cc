#include "control/edges.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>
#include <thread>

#include "control/test_disk.h"

namespace beaconry {
namespace {

constexpr Timestamp kNow{std::chrono::seconds{1'800'000'000}};
constexpr auto kHour = std::chrono::hours{1};
const std::string kKey(64, 'a'), kOtherKey(64, 'b'), kLife(32, '1');

class EdgesTest : public testing::Test {
 protected:
  void restart() { edges_ = std::move(*Edges::open(*database_)); }
  std::string token(const std::string& name = "office") {
    const auto made = edges_->make_token("collector", name, kNow + kHour, "anna", kNow);
    EXPECT_TRUE(made) << made.error().message();
    return made.value_or("");
  }
  Result<Edges::Edge> enrol(const std::string& token, const std::string& key = kKey,
                            Timestamp now = kNow) {
    return edges_->enrol(token, "collector", "host", key, "10.0.0.5", now);
  }
  bool receive(std::uint64_t sequence, const std::string& id = kKey,
               const std::string& life = kLife) {
    if (edges_->claim(id, life, sequence) != Edges::Claim::fresh) return false;
    edges_->settle(id, life, {sequence, {}, {}}, true, kNow);
    return true;
  }

  std::unique_ptr<Database> database_ = std::move(*Database::open(""));
  std::unique_ptr<Edges> edges_ = std::move(*Edges::open(*database_));
};

TEST_F(EdgesTest, ATokenEnrolsOneEdgeOnceUnderTheNameOfTheToken) {
  const std::string secret = token();
  const auto edge = enrol(secret);
  ASSERT_TRUE(edge) << edge.error().message();
  EXPECT_EQ(edge->name, "office");
  EXPECT_EQ(edge->enrolments, 1U);
  EXPECT_TRUE(edges_->is_enrolled(kKey));
  const auto second = enrol(secret, kOtherKey);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().message(), "enrol this edge: the token was used already; make another");
  EXPECT_FALSE(edges_->is_enrolled(kOtherKey));
  restart();
  EXPECT_TRUE(edges_->is_enrolled(kKey));
}

TEST_F(EdgesTest, ASaveThatIsUnderWayDoesNotUndoARevocation) {
  for (int i = 0; i < 20; ++i) {
    const std::string key = std::string(63, 'a') + static_cast<char>('a' + i);
    ASSERT_TRUE(enrol(token(), key));
    ASSERT_TRUE(receive(1, key));
    // One that is to be forgotten tells when save() has copied what it will write.
    const std::string marker = Edges::unenrolled_id("old");
    ASSERT_TRUE(receive(1, marker));
    Edges::News old;
    old.seen = kNow - 24 * 31 * kHour;
    edges_->note(marker, old);
    std::thread saving;
    ASSERT_TRUE(database_->transact([&](SQLite::Database&) -> Result<void> {
      saving = std::thread([&] { EXPECT_TRUE(edges_->save(kNow)); });
      while (edges_->find(marker))
        std::this_thread::yield();
      return {};
    }));
    EXPECT_TRUE(edges_->revoke(key, kNow));
    saving.join();
    restart();
    EXPECT_FALSE(edges_->is_enrolled(key)) << i;
  }
}

TEST_F(EdgesTest, WhatComesWhileItIsRenamedStays) {
  ASSERT_TRUE(enrol(token()));
  ASSERT_TRUE(receive(1));
  ASSERT_TRUE(edges_->rename(kKey, "kemi"));
  ASSERT_TRUE(edges_->revoke(kKey, kNow));
  EXPECT_EQ(edges_->find(kKey)->batches, 1U);
  EXPECT_EQ(edges_->find(kKey)->name, "kemi");
}

TEST_F(EdgesTest, WhoIsAskedForDoesNotWaitForTheDisk) {
  ASSERT_TRUE(enrol(token()));
  EXPECT_TRUE(test::looks_while_the_disk_is_busy(
      *database_, [&] { EXPECT_FALSE(enrol("bce_nonsense", kOtherKey)); },
      [&] { EXPECT_TRUE(edges_->is_enrolled(kKey)); }));
  EXPECT_TRUE(test::looks_while_the_disk_is_busy(
      *database_, [&] { EXPECT_TRUE(edges_->revoke(kKey, kNow)); },
      [&] { EXPECT_FALSE(edges_->is_enrolled(kOtherKey)); }));
}

TEST_F(EdgesTest, AnAnswerThatWasLostCanBeAskedForAgain) {
  const std::string secret = token();
  ASSERT_TRUE(enrol(secret));
  const auto again = enrol(secret, kKey, kNow + 2 * kHour);
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(again->enrolments, 1U);
}

TEST_F(EdgesTest, TokensExpireAndAreForOneKind) {
  const std::string secret = token();
  EXPECT_FALSE(enrol(secret, kKey, kNow + kHour));
  EXPECT_FALSE(edges_->enrol(secret, "home", "x", kKey, "", kNow));
  EXPECT_FALSE(enrol("bce_" + std::string(64, '0')));
  EXPECT_FALSE(enrol(""));
  EXPECT_FALSE(enrol(secret, ""));
  EXPECT_TRUE(enrol(secret));
  EXPECT_FALSE(edges_->make_token("toaster", "x", kNow + kHour, "anna", kNow));
  EXPECT_FALSE(edges_->make_token("home", "", kNow + kHour, "anna", kNow));
  EXPECT_FALSE(edges_->make_token("home", "x", kNow, "anna", kNow));
}

TEST_F(EdgesTest, TheSameKeyAgainIsTheSameEdgeEnrolledOnceMore) {
  ASSERT_TRUE(enrol(token()));
  const auto again = enrol(token("renamed"), kKey, kNow + std::chrono::minutes{1});
  ASSERT_TRUE(again);
  EXPECT_EQ(again->enrolments, 2U);
  EXPECT_EQ(again->name, "renamed");
  EXPECT_EQ(edges_->list().size(), 1U);
}

TEST_F(EdgesTest, TheSameNameWithAnotherKeyIsAConflictAndNeverMerged) {
  ASSERT_TRUE(enrol(token()));
  EXPECT_FALSE(edges_->list()[0].name_conflict);
  ASSERT_TRUE(enrol(token(), kOtherKey));
  ASSERT_EQ(edges_->list().size(), 2U);
  EXPECT_TRUE(edges_->list()[0].name_conflict);
  EXPECT_TRUE(receive(1, kKey));
  EXPECT_TRUE(receive(1, kOtherKey));
  EXPECT_FALSE(edges_->revoke("office", kNow));  // which one?
  ASSERT_TRUE(edges_->revoke(kOtherKey, kNow));
  EXPECT_FALSE(edges_->find(kKey)->name_conflict);
}

TEST_F(EdgesTest, ARevokedKeyStaysOut) {
  ASSERT_TRUE(enrol(token()));
  ASSERT_TRUE(edges_->revoke("office", kNow));
  EXPECT_FALSE(edges_->is_enrolled(kKey));
  const auto again = enrol(token());
  ASSERT_FALSE(again);
  EXPECT_NE(again.error().message().find("its key was revoked"), std::string::npos);
  restart();
  EXPECT_FALSE(edges_->is_enrolled(kKey));
  EXPECT_FALSE(edges_->revoke("nobody", kNow));
}

TEST_F(EdgesTest, ABatchCountsOnceHoweverOftenItIsSent) {
  EXPECT_TRUE(receive(1));
  EXPECT_FALSE(receive(1));
  EXPECT_EQ(edges_->claim(kKey, kLife, 2), Edges::Claim::fresh);
  EXPECT_EQ(edges_->claim(kKey, kLife, 2), Edges::Claim::busy);
  edges_->settle(kKey, kLife, {2, {}, {}}, false, kNow);  // the disk was full
  EXPECT_TRUE(receive(2));
  EXPECT_TRUE(receive(1, kKey, "another life"));
  const auto edge = edges_->find(kKey);
  ASSERT_TRUE(edge);
  EXPECT_EQ(edge->batches, 3U);
  EXPECT_EQ(edge->repeated, 1U);
  ASSERT_TRUE(edges_->save(kNow));
  restart();
  EXPECT_FALSE(receive(2));
  EXPECT_FALSE(receive(1, kKey, "another life"));
  EXPECT_TRUE(receive(3));
}

TEST_F(EdgesTest, BatchesThatNeverCameAreMissingUntilTheyDo) {
  for (const std::uint64_t sequence : {1U, 2U, 5U, 9U})
    EXPECT_TRUE(receive(sequence));
  EXPECT_EQ(edges_->find(kKey)->missing, 5U);
  EXPECT_TRUE(receive(4));
  EXPECT_FALSE(receive(4));
  EXPECT_EQ(edges_->find(kKey)->missing, 4U);
  EXPECT_EQ(edges_->find(kKey)->sequence, 9U);
}

TEST_F(EdgesTest, WhoIsNotEnrolledIsListedAsSuchWithinABound) {
  const std::string id = Edges::unenrolled_id("lab");
  EXPECT_TRUE(receive(1, id));
  edges_->note(
      id, {"lab\x1b[31m", "10.0.0.9", kNow, std::chrono::seconds{-3}, 40, 7, R"({"a":1})", {}});
  auto edge = edges_->find(id);
  ASSERT_TRUE(edge);
  EXPECT_FALSE(edge->enrolled);
  EXPECT_EQ(edge->name, "lab\\x1b[31m");
  EXPECT_EQ(edge->clock_skew, std::chrono::seconds{-3});
  EXPECT_EQ(edge->events, 40U);
  EXPECT_EQ(edge->dropped, 7U);
  ASSERT_TRUE(edges_->save(kNow));
  restart();
  EXPECT_EQ(edges_->find(id)->counters, R"({"a":1})");
  EXPECT_EQ(edges_->find(id)->clock_skew, std::chrono::seconds{-3});
  for (std::size_t i = 1; i < Edges::kMostUnknown; ++i)
    EXPECT_TRUE(receive(1, Edges::unenrolled_id(std::to_string(i))));
  EXPECT_EQ(edges_->claim(Edges::unenrolled_id("more"), kLife, 1), Edges::Claim::full);
  ASSERT_TRUE(edges_->save(kNow + std::chrono::hours{24 * 31}));
  EXPECT_FALSE(edges_->find(id));
}

RC_GTEST_PROP(BatchCursor, KnowsWhatItWasGivenAndSurvivesItsText, ()) {
  BatchCursor cursor;
  std::set<std::uint64_t> added;
  const auto steps = *rc::gen::container<std::vector<int>>(40, rc::gen::inRange(1, 60));
  for (const int step : steps) {
    const auto sequence = static_cast<std::uint64_t>(step);
    RC_ASSERT(cursor.has(sequence) == (added.count(sequence) > 0));
    cursor.add(sequence);
    added.insert(sequence);
    const auto read = BatchCursor::parse(cursor.to_text());
    RC_ASSERT(read.has_value());
    RC_ASSERT(read->to_text() == cursor.to_text());
    RC_ASSERT(read->highest() == *added.rbegin());
  }
}

TEST(BatchCursor, WhatWasBeforeTheFirstBatchIsNotMissed) {
  BatchCursor cursor;
  cursor.add(5000);
  EXPECT_EQ(cursor.missing(), 0U);
  cursor.add(5003);
  EXPECT_EQ(cursor.missing(), 2U);
  EXPECT_FALSE(cursor.has(10));
}

TEST(BatchCursor, TheNumberOfGapsIsBounded) {
  BatchCursor cursor;
  for (std::uint64_t i = 1; i < 2000; i += 2)
    cursor.add(i);
  EXPECT_EQ(cursor.missing(), 999U);
  EXPECT_LT(cursor.to_text().size(), 1000U);
  EXPECT_TRUE(cursor.has(2));  // lost for ever
  EXPECT_FALSE(cursor.has(1998));
}

TEST(BatchCursor, RefusesWhatIsNoCursor) {
  for (const char* text :
       {"", "1", "1 2 3", "5 1 0 x", "5 1 0 3-2", "5 1 0 2-5", "5 1 0 3-4 2-2"}) {
    EXPECT_FALSE(BatchCursor::parse(text)) << text;
  }
}

}  // namespace
}  // namespace beaconry
