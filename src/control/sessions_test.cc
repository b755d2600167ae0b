#include "control/sessions.h"

#include <gtest/gtest.h>

#include "control/test_disk.h"
#include "store/transaction.h"

namespace beaconry {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr Timestamp kNow{std::chrono::seconds{1'800'000'000}};
const std::string kGeneration = "0123456789abcdef";

class SessionsTest : public testing::Test {
 protected:
  void reopen(Timestamp at) { sessions_ = std::move(*Sessions::open(*database_, at)); }
  int kept() {
    return *database_->transact([](SQLite::Database& tables) -> Result<int> {
      return tables.execAndGet("SELECT count(*) FROM session").getInt();
    });
  }

  std::unique_ptr<Database> database_ = std::move(*Database::open(""));
  std::unique_ptr<Sessions> sessions_ = std::move(*Sessions::open(*database_, kNow));
};

TEST_F(SessionsTest, ASessionIsKnownByItsSecretAloneAlsoAfterARestart) {
  const auto secret = sessions_->create("anna", kGeneration, kNow);
  ASSERT_TRUE(secret);
  EXPECT_EQ(secret->size(), 64U);
  EXPECT_NE(*secret, *sessions_->create("anna", kGeneration, kNow));
  EXPECT_EQ(sessions_->find(*secret, kNow)->user, "anna");
  std::string other = *secret;
  other.back() = other.back() == '0' ? '1' : '0';
  for (const std::string& wrong : {other, std::string(), *secret + '0', std::string(100'000, 'a')})
    EXPECT_FALSE(sessions_->find(wrong, kNow));
  reopen(kNow);
  EXPECT_TRUE(sessions_->find(*secret, kNow));
  const auto hash = database_->transact([](SQLite::Database& tables) -> Result<std::string> {
    return tables.execAndGet("SELECT group_concat(hash) FROM session").getString();
  });
  EXPECT_EQ(hash->find(*secret), std::string::npos);
  EXPECT_NE(Sessions::csrf(*secret), Sessions::csrf(other));
}

TEST_F(SessionsTest, RemembersWhatItsUserWasThen) {
  const std::string secret = *sessions_->create("anna", kGeneration, kNow);
  EXPECT_EQ(sessions_->find(secret, kNow)->generation, kGeneration);
  reopen(kNow);
  EXPECT_EQ(sessions_->find(secret, kNow)->generation, kGeneration);
}

TEST_F(SessionsTest, WhoIsAskedForDoesNotWaitForTheDisk) {
  const std::string secret = *sessions_->create("anna", kGeneration, kNow);
  const auto look = [&] { EXPECT_TRUE(sessions_->find(secret, kNow + hours{1})); };
  EXPECT_TRUE(test::looks_while_the_disk_is_busy(
      *database_, [&] { EXPECT_TRUE(sessions_->create("bob", kGeneration, kNow)); }, look));
  EXPECT_TRUE(test::looks_while_the_disk_is_busy(
      *database_, [&] { EXPECT_TRUE(sessions_->end_of("bob")); }, look));
  EXPECT_TRUE(test::looks_while_the_disk_is_busy(
      *database_, [&] { EXPECT_TRUE(sessions_->save(kNow + hours{1})); }, look));
}

TEST_F(SessionsTest, EndsTwelveHoursAfterItsLastUse) {
  const std::string secret = *sessions_->create("anna", kGeneration, kNow);
  EXPECT_EQ(sessions_->find(secret, kNow)->expires(), kNow + hours{12});
  EXPECT_TRUE(sessions_->find(secret, kNow + hours{11}));
  ASSERT_TRUE(sessions_->save(kNow + hours{11}));
  reopen(kNow + hours{22});  // the use was written down
  EXPECT_TRUE(sessions_->find(secret, kNow + hours{22}));
  EXPECT_FALSE(sessions_->find(secret, kNow + hours{34}));
  ASSERT_TRUE(sessions_->save(kNow + hours{34}));
  EXPECT_EQ(kept(), 0);
}

TEST_F(SessionsTest, EndsAfterSevenDaysHoweverMuchItIsUsed) {
  const std::string secret = *sessions_->create("anna", kGeneration, kNow);
  for (int hour = 1; hour < 7 * 24; ++hour)
    ASSERT_TRUE(sessions_->find(secret, kNow + hours{hour})) << hour;
  EXPECT_FALSE(sessions_->find(secret, kNow + hours{7 * 24}));
}

TEST_F(SessionsTest, EndsWhenItIsEnded) {
  const std::string one = *sessions_->create("anna", kGeneration, kNow),
                    two = *sessions_->create("anna", kGeneration, kNow),
                    other = *sessions_->create("bob", kGeneration, kNow);
  ASSERT_TRUE(sessions_->end(one));
  EXPECT_FALSE(sessions_->find(one, kNow));
  EXPECT_TRUE(sessions_->find(two, kNow));
  ASSERT_TRUE(sessions_->end_of("anna"));
  EXPECT_FALSE(sessions_->find(two, kNow));
  EXPECT_TRUE(sessions_->find(other, kNow));
  EXPECT_EQ(kept(), 1);
}

TEST_F(SessionsTest, AUserHasSixteenAndTheLongestUnusedGoes) {
  std::vector<std::string> secrets;
  for (int i = 0; i < 16; ++i)
    secrets.push_back(*sessions_->create("anna", kGeneration, kNow + minutes{i}));
  const std::string other = *sessions_->create("bob", kGeneration, kNow);
  ASSERT_TRUE(sessions_->find(secrets[0], kNow + minutes{20}));  // used: the second is the oldest
  const std::string late = *sessions_->create("anna", kGeneration, kNow + minutes{21});
  const auto at = kNow + minutes{22};
  EXPECT_TRUE(sessions_->find(secrets[0], at));
  EXPECT_FALSE(sessions_->find(secrets[1], at));
  EXPECT_TRUE(sessions_->find(secrets[2], at));
  EXPECT_TRUE(sessions_->find(late, at));
  EXPECT_TRUE(sessions_->find(other, at));
  EXPECT_EQ(kept(), 17);
}

TEST_F(SessionsTest, AllTogetherAreBounded) {
  const std::string first = *sessions_->create("first", kGeneration, kNow);
  for (std::size_t i = 0; i < Sessions::kMost; ++i)
    ASSERT_TRUE(sessions_->create("user" + std::to_string(i / 8), kGeneration, kNow + minutes{1}));
  EXPECT_FALSE(sessions_->find(first, kNow + minutes{1}));
  EXPECT_EQ(kept(), static_cast<int>(Sessions::kMost));
}

TEST_F(SessionsTest, StreamsEndWithTheirSession) {
  const std::string secret = *sessions_->create("anna", kGeneration, kNow);
  const auto stream = EventStream::make(), late = EventStream::make(), last = EventStream::make();
  sessions_->bind(secret, stream);
  EXPECT_TRUE(stream->is_open());
  ASSERT_TRUE(sessions_->end_of("anna"));
  EXPECT_FALSE(stream->is_open());
  sessions_->bind(secret, late);  // whoever asked while it ended
  EXPECT_FALSE(late->is_open());
  sessions_->bind(*sessions_->create("anna", kGeneration, kNow), last);
  ASSERT_TRUE(sessions_->save(kNow + hours{13}));
  EXPECT_FALSE(last->is_open());
}

}  // namespace
}  // namespace beaconry
