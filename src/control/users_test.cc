#include "control/users.h"

#include <gtest/gtest.h>

#include "control/test_disk.h"
#include "control/totp.h"
#include "store/transaction.h"

namespace beaconry {
namespace {

constexpr Timestamp kNow{std::chrono::seconds{1'800'000'000}};
constexpr Passwords::Cost kCheap{1, std::size_t{8} << 10};
const std::string kGood = "correct horse battery";

class UsersTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(users_->create("Anna", Role::admin, kGood, "init", kNow)); }
  bool right(const std::string& name, const std::string& password, const std::string& code = {},
             Timestamp at = kNow) {
    return users_->log_in(name, password, code, at).value().right;
  }
  std::string code(const std::string& secret, Timestamp at) {
    const auto seconds =
        std::chrono::duration_cast<std::chrono::seconds>(at.time_since_epoch()).count();
    return totp_code(*parse_base32(secret), static_cast<std::uint64_t>(seconds) / 30);
  }

  std::unique_ptr<Database> database_ = std::move(*Database::open(""));
  std::unique_ptr<Users> users_ = std::move(*Users::open(*database_, kCheap));
};

TEST(Passwords, AreArgon2idAndNeedTenCharacters) {
  Passwords passwords(kCheap);
  const auto hash = passwords.hash(kGood);
  ASSERT_TRUE(hash);
  EXPECT_EQ(hash->substr(0, 10), "$argon2id$");
  EXPECT_TRUE(*passwords.verify(*hash, kGood));
  EXPECT_FALSE(*passwords.verify(*hash, kGood + ' '));
  EXPECT_FALSE(*passwords.verify("", kGood));
  EXPECT_FALSE(*passwords.verify("no hash", kGood));
  EXPECT_FALSE(passwords.hash("123456789"));
  EXPECT_TRUE(passwords.hash("1234567890"));
  EXPECT_FALSE(passwords.hash("äöüäöüäöü"));  // nine, in 18 bytes
  EXPECT_TRUE(passwords.hash(std::string(1024, 'x')));
  EXPECT_FALSE(passwords.hash(std::string(1025, 'x')));
}

TEST_F(UsersTest, AUserIsKnownByThePasswordAloneAlsoAfterARestart) {
  EXPECT_TRUE(right("anna", kGood));
  EXPECT_TRUE(right("ANNA", kGood));
  EXPECT_FALSE(right("anna", "wrong horse battery"));
  EXPECT_FALSE(right("anna", ""));
  EXPECT_FALSE(right("nobody", kGood));
  EXPECT_FALSE(right(std::string(100'000, 'a'), kGood));
  users_ = std::move(*Users::open(*database_, kCheap));
  EXPECT_TRUE(right("anna", kGood));
  EXPECT_EQ(users_->find("anna")->last_login, kNow);
  const auto kept = database_->transact([](SQLite::Database& tables) -> Result<std::string> {
    return tables.execAndGet("SELECT hash FROM user").getString();
  });
  EXPECT_EQ(kept->find(kGood), std::string::npos);
}

TEST_F(UsersTest, ChangesHoldAtOnceAndAsAWhole) {
  ASSERT_TRUE(users_->create("bob", Role::viewer, kGood, "anna", kNow));
  Users::Change change;
  change.role = Role::operator_;
  change.password = "short";
  EXPECT_FALSE(users_->change("bob", change, kNow));
  EXPECT_EQ(users_->find("bob")->role, Role::viewer);
  change.password = "another password";
  ASSERT_TRUE(users_->change("bob", change, kNow + std::chrono::hours{1}));
  EXPECT_EQ(users_->find("bob")->role, Role::operator_);
  EXPECT_EQ(users_->find("bob")->changed, kNow + std::chrono::hours{1});
  EXPECT_FALSE(right("bob", kGood));
  EXPECT_TRUE(right("bob", "another password"));
  Users::Change off;
  off.disabled = true;
  ASSERT_TRUE(users_->change("bob", off, kNow));
  EXPECT_FALSE(right("bob", "another password"));
  ASSERT_TRUE(users_->remove("bob"));
  EXPECT_FALSE(users_->find("bob"));
  EXPECT_EQ(users_->remove("bob").error().kind, ErrorKind::not_found);
  EXPECT_EQ(users_->change("bob", off, kNow).error().kind, ErrorKind::not_found);
}

TEST_F(UsersTest, OneAdminAlwaysRemains) {
  Users::Change demote, disable;
  demote.role = Role::operator_;
  disable.disabled = true;
  EXPECT_FALSE(users_->change("anna", demote, kNow));
  EXPECT_FALSE(users_->change("anna", disable, kNow));
  EXPECT_FALSE(users_->remove("anna"));
  ASSERT_TRUE(users_->create("bob", Role::admin, kGood, "anna", kNow));
  ASSERT_TRUE(users_->change("bob", disable, kNow));
  EXPECT_FALSE(users_->remove("anna"));  // bob cannot log in
  disable.disabled = false;
  ASSERT_TRUE(users_->change("bob", disable, kNow));
  EXPECT_TRUE(users_->remove("anna"));
  const auto empty = std::move(*Database::open(""));
  const auto first = std::move(*Users::open(*empty, kCheap));
  EXPECT_FALSE(first->create("eve", Role::viewer, kGood, "init", kNow));
}

TEST_F(UsersTest, RefusesWhatIsNoUser) {
  for (const char* name :
       {"", "an na", "anna/bob", "änna", "loopback", "LOCAL", "api_key", "nobody", "a\nb"}) {
    EXPECT_FALSE(users_->create(name, Role::viewer, kGood, "x", kNow)) << name;
  }
  EXPECT_FALSE(users_->create(std::string(65, 'a'), Role::viewer, kGood, "x", kNow));
  EXPECT_FALSE(users_->create("ANNA", Role::viewer, kGood, "x", kNow));  // taken
  EXPECT_FALSE(users_->create("bob", Role::ingest, kGood, "x", kNow));
  EXPECT_FALSE(users_->create("bob", Role::none, kGood, "x", kNow));
  Users::Change machine;
  machine.role = Role::ingest;
  EXPECT_FALSE(users_->change("anna", machine, kNow));
}

TEST_F(UsersTest, TheSecondFactorIsAskedForOnceACodeWasRight) {
  Users::Change begin, end;
  begin.totp = true;
  end.totp = false;
  const auto begun = users_->change("anna", begin, kNow);
  ASSERT_TRUE(begun);
  const std::string secret = begun->totp_secret;
  EXPECT_EQ(users_->find("anna")->totp, Users::Totp::pending);
  EXPECT_TRUE(right("anna", kGood));  // nobody has shown yet that the app works
  EXPECT_FALSE(right("anna", kGood, "000000x"));
  EXPECT_FALSE(right("anna", "wrong horse battery", code(secret, kNow)));
  EXPECT_TRUE(right("anna", kGood, code(secret, kNow)));
  EXPECT_EQ(users_->find("anna")->totp, Users::Totp::on);

  const auto later = kNow + std::chrono::minutes{5};
  const auto without = users_->log_in("anna", kGood, "", later);
  EXPECT_FALSE(without->right);
  EXPECT_TRUE(without->code_needed);
  EXPECT_FALSE(users_->log_in("anna", "wrong horse battery", "", later)->code_needed);
  EXPECT_TRUE(right("anna", kGood, code(secret, later), later));
  users_ = std::move(*Users::open(*database_, kCheap));
  EXPECT_FALSE(right("anna", kGood, code(secret, later), later));  // a code holds once
  EXPECT_FALSE(users_->change("anna", begin, kNow));               // not over one that is on
  ASSERT_TRUE(users_->change("anna", end, kNow));
  EXPECT_TRUE(right("anna", kGood));
}

TEST_F(UsersTest, EachChangeMakesAnotherGeneration) {
  ASSERT_TRUE(users_->create("bob", Role::viewer, kGood, "anna", kNow));
  std::string last = users_->find("bob")->generation;
  EXPECT_NE(last, users_->find("anna")->generation);
  Users::Change role, password, disabled;
  role.role = Role::analyst;
  password.password = "another password";
  disabled.disabled = false;
  for (const Users::Change& change : {role, password, disabled}) {
    ASSERT_TRUE(users_->change("bob", change, kNow));  // whatever the clock says
    EXPECT_NE(users_->find("bob")->generation, last);
    last = users_->find("bob")->generation;
  }
  EXPECT_TRUE(right("bob", "another password"));
  users_ = std::move(*Users::open(*database_, kCheap));
  EXPECT_EQ(users_->find("bob")->generation, last);
  ASSERT_TRUE(users_->remove("bob"));
  ASSERT_TRUE(users_->create("bob", Role::viewer, kGood, "anna", kNow));
  EXPECT_NE(users_->find("bob")->generation, last);
}

TEST_F(UsersTest, AChangeThatIsRefusedInOnePartLeavesAllAsItWas) {
  Users::Change begin;
  begin.totp = true;
  const std::string secret = users_->change("anna", begin, kNow)->totp_secret;
  ASSERT_TRUE(right("anna", kGood, code(secret, kNow)));
  Users::Change both;
  both.password = "another password";
  both.totp = true;  // it has one
  EXPECT_FALSE(users_->change("anna", both, kNow));
  both.totp = false;
  both.role = Role::viewer;  // the last admin
  EXPECT_FALSE(users_->change("anna", both, kNow));
  EXPECT_EQ(users_->find("anna")->totp, Users::Totp::on);
  const auto later = kNow + std::chrono::minutes{5};
  EXPECT_TRUE(right("anna", kGood, code(secret, later), later));
}

TEST_F(UsersTest, WhoIsAskedForDoesNotWaitForTheDisk) {
  Users::Change role;
  role.role = Role::admin;
  EXPECT_TRUE(test::looks_while_the_disk_is_busy(
      *database_, [&] { EXPECT_TRUE(users_->change("anna", role, kNow)); },
      [&] { EXPECT_TRUE(users_->any() && users_->find("anna")); }));
  EXPECT_TRUE(test::looks_while_the_disk_is_busy(
      *database_, [&] { EXPECT_TRUE(users_->refresh()); },
      [&] { EXPECT_TRUE(users_->any() && users_->find("anna")); }));
}

TEST_F(UsersTest, SeesWhatAnotherProcessWrote) {
  const auto other = std::move(*Users::open(*database_, kCheap));
  ASSERT_TRUE(other->create("late", Role::viewer, kGood, "x", kNow));
  EXPECT_FALSE(users_->find("late"));
  ASSERT_TRUE(users_->refresh());
  EXPECT_TRUE(users_->find("late"));
}

}  // namespace
}  // namespace beaconry
