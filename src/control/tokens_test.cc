#include "control/tokens.h"

#include <gtest/gtest.h>

#include "control/test_disk.h"
#include "store/transaction.h"

namespace beaconry {
namespace {

constexpr Timestamp kNow{std::chrono::seconds{1'800'000'000}};
constexpr auto kHour = std::chrono::hours{1};

class TokensTest : public testing::Test {
 protected:
  std::unique_ptr<Database> database_ = std::move(*Database::open(""));
  std::unique_ptr<Tokens> tokens_ = std::move(*Tokens::open(*database_));
};

TEST_F(TokensTest, ATokenIsKnownByItsSecretAlsoAfterARestart) {
  const auto secret = tokens_->create("anna", Role::read, {}, "init", kNow);
  ASSERT_TRUE(secret) << secret.error().message();
  EXPECT_EQ(secret->size(), 68U);
  for (int start = 0; start < 2; ++start) {
    const auto token = tokens_->verify(*secret, kNow);
    ASSERT_TRUE(token);
    EXPECT_EQ(token->name, "anna");
    EXPECT_EQ(token->role, Role::read);
    EXPECT_FALSE(tokens_->verify(*secret + "0", kNow));
    EXPECT_FALSE(tokens_->verify(secret->substr(0, 67), kNow));
    EXPECT_FALSE(tokens_->verify("", kNow));
    tokens_ = std::move(*Tokens::open(*database_));
  }
}

TEST_F(TokensTest, WhoIsAskedForDoesNotWaitForTheDisk) {
  const std::string secret = *tokens_->create("anna", Role::read, {}, "init", kNow);
  const auto look = [&] { EXPECT_TRUE(tokens_->verify(secret, kNow)); };
  EXPECT_TRUE(test::looks_while_the_disk_is_busy(
      *database_, [&] { EXPECT_TRUE(tokens_->create("bob", Role::read, {}, "init", kNow)); },
      look));
  EXPECT_TRUE(test::looks_while_the_disk_is_busy(
      *database_, [&] { EXPECT_TRUE(tokens_->revoke("bob")); }, look));
  EXPECT_TRUE(test::looks_while_the_disk_is_busy(
      *database_, [&] { EXPECT_TRUE(tokens_->refresh()); }, look));
}

TEST_F(TokensTest, TheSecretIsNowhereInTheStore) {
  const auto secret = tokens_->create("anna", Role::admin, {}, "init", kNow);
  const auto kept = database_->transact([](SQLite::Database& tables) -> Result<std::string> {
    return tables.execAndGet("SELECT name || hash || role || created_by FROM token").getString();
  });
  EXPECT_EQ(kept->find(secret->substr(4)), std::string::npos);
  EXPECT_EQ(kept->find("anna"), 0U);
}

TEST_F(TokensTest, ATokenEndsWithItsTimeOrByRevocation) {
  const auto brief = tokens_->create("brief", Role::ingest, kNow + kHour, "anna", kNow);
  EXPECT_TRUE(tokens_->verify(*brief, kNow));
  EXPECT_FALSE(tokens_->verify(*brief, kNow + kHour));
  const auto other = tokens_->create("other", Role::ingest, {}, "anna", kNow);
  ASSERT_TRUE(tokens_->revoke("other"));
  EXPECT_FALSE(tokens_->verify(*other, kNow));
  EXPECT_FALSE(tokens_->revoke("other"));
}

TEST_F(TokensTest, ThatATokenWasMadeIsRememberedWhenTheLastIsGone) {
  EXPECT_FALSE(tokens_->ever_made());
  ASSERT_TRUE(tokens_->create("anna", Role::admin, {}, "init", kNow));
  EXPECT_TRUE(tokens_->ever_made());
  ASSERT_TRUE(tokens_->revoke("anna"));
  EXPECT_TRUE(tokens_->ever_made());
  ASSERT_TRUE(tokens_->refresh());
  EXPECT_TRUE(tokens_->ever_made());
  tokens_ = std::move(*Tokens::open(*database_));
  EXPECT_TRUE(tokens_->ever_made());
}

TEST_F(TokensTest, NamesAreTakenOnceAndMustBePrintable) {
  ASSERT_TRUE(tokens_->create("anna", Role::read, {}, "x", kNow));
  EXPECT_FALSE(tokens_->create("anna", Role::read, {}, "x", kNow));
  for (const std::string& name :
       {std::string(), std::string("api_key"), std::string("a\x1b[31m"), std::string(65, 'a')}) {
    EXPECT_FALSE(tokens_->create(name, Role::read, {}, "x", kNow)) << name;
  }
  EXPECT_FALSE(tokens_->create("b", Role::none, {}, "x", kNow));
  EXPECT_FALSE(tokens_->create("c", Role::read, kNow, "x", kNow));
  EXPECT_EQ(tokens_->list().size(), 1U);
}

TEST_F(TokensTest, TheApiKeyIsAnAdminToken) {
  EXPECT_FALSE(tokens_->has_api_key());
  tokens_->set_api_key("hunter2");
  EXPECT_TRUE(tokens_->has_api_key());
  EXPECT_FALSE(tokens_->ever_made());
  EXPECT_EQ(tokens_->verify("hunter2", kNow)->role, Role::admin);
  tokens_->set_api_key("");
  EXPECT_FALSE(tokens_->verify("hunter2", kNow));
}

TEST_F(TokensTest, WhatAnotherProcessWroteIsSeenAfterARefresh) {
  auto other = std::move(*Tokens::open(*database_));
  const auto secret = other->create("late", Role::read, {}, "x", kNow);
  EXPECT_FALSE(tokens_->verify(*secret, kNow));
  ASSERT_TRUE(tokens_->refresh());
  EXPECT_TRUE(tokens_->verify(*secret, kNow));
}

TEST(Roles, HaveWords) {
  for (const Role role :
       {Role::ingest, Role::viewer, Role::analyst, Role::operator_, Role::admin}) {
    EXPECT_EQ(parse_role(to_string(role)), role);
    EXPECT_EQ(parse_role(token_role(role)), role);
  }
  EXPECT_EQ(token_role(Role::viewer), "read");
  EXPECT_FALSE(parse_role("none"));
  EXPECT_FALSE(parse_role("root"));
}

}  // namespace
}  // namespace beaconry
