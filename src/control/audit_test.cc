#include "control/audit.h"

#include <gtest/gtest.h>

#include "store/transaction.h"

namespace beaconry {
namespace {

constexpr Timestamp kNow{std::chrono::seconds{1'800'000'000}};

Audit::Entry entry(const std::string& who, int minute, const std::string& outcome = "done",
                   const std::string& action = "POST /api/v1/triage") {
  Audit::Entry made;
  made.time = kNow + std::chrono::minutes{minute};
  made.who = who;
  made.role = Role::analyst;
  made.address = "192.0.2.1";
  made.action = action;
  made.object = "a->b";
  made.after = R"({"decision":"benign"})";
  made.outcome = outcome;
  return made;
}

class AuditTest : public testing::Test {
 protected:
  std::vector<Audit::Entry> list(Audit::Wanted wanted = {}) { return *audit_->list(wanted); }
  std::unique_ptr<Database> database_ = std::move(*Database::open(""));
  std::unique_ptr<Audit> audit_ = std::move(*Audit::open(*database_, {100, 20}));
};

TEST_F(AuditTest, KeepsWhoDidWhatNewestFirst) {
  ASSERT_TRUE(audit_->record(entry("anna", 0)));
  ASSERT_TRUE(audit_->record(entry("bob", 1, "refused 400")));
  const auto all = list();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].who, "bob");
  EXPECT_EQ(all[0].outcome, "refused 400");
  EXPECT_EQ(all[1].role, Role::analyst);
  EXPECT_EQ(all[1].address, "192.0.2.1");
  EXPECT_EQ(all[1].object, "a->b");
  EXPECT_EQ(all[1].before, "");
  EXPECT_EQ(all[1].after, R"({"decision":"benign"})");
  EXPECT_EQ(all[1].time, kNow);
}

TEST_F(AuditTest, IsAskedByTimePersonAndPage) {
  for (int i = 0; i < 10; ++i)
    ASSERT_TRUE(audit_->record(entry(i % 2 == 0 ? "anna" : "bob", i)));
  Audit::Wanted wanted;
  wanted.who = "anna";
  EXPECT_EQ(list(wanted).size(), 5U);
  wanted.since = kNow + std::chrono::minutes{4};
  EXPECT_EQ(list(wanted).size(), 3U);
  wanted.limit = 2;
  const auto page = list(wanted);
  ASSERT_EQ(page.size(), 2U);
  wanted.before = page.back().id;
  EXPECT_EQ(list(wanted).size(), 1U);
}

TEST_F(AuditTest, WhoGuessesPasswordsOrTokensDoesNotPushOutWhatPeopleDid) {
  ASSERT_TRUE(audit_->record(entry("anna", 0)));
  for (int i = 0; i < 1000; ++i) {
    auto refused =
        entry("eve", 1, "refused 401", i % 2 == 0 ? "POST /api/v1/session" : "POST /api/v1/enroll");
    refused.by_nobody = true;
    ASSERT_TRUE(audit_->record(refused));
  }
  Audit::Wanted all;
  all.limit = 10'000;
  EXPECT_EQ(list(all).back().who, "anna");
  EXPECT_LE(list(all).size(), 1U + 20U + 64U);
  for (int i = 0; i < 1000; ++i)
    ASSERT_TRUE(audit_->record(entry("bob", 2)));
  EXPECT_LE(list(all).size(), 100U + 20U + 128U);
}

TEST(AuditTable, AnOlderOneIsTakenOver) {
  constexpr const char* kOlder[] = {
      "CREATE TABLE audit (id INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL, who TEXT "
      "NOT NULL, role TEXT NOT NULL, address TEXT NOT NULL, action TEXT NOT NULL, object TEXT NOT "
      "NULL, before TEXT NOT NULL, after TEXT NOT NULL, outcome TEXT NOT NULL, failed_login "
      "INTEGER NOT NULL)",
      "CREATE INDEX audit_kind ON audit (failed_login, id)"};
  const auto database = std::move(*Database::open(""));
  ASSERT_TRUE(database->migrate("audit", kOlder));
  ASSERT_TRUE(database->transact([](SQLite::Database& tables) -> Result<void> {
    tables.exec(
        "INSERT INTO audit VALUES (1, 0, 'anna', 'viewer', '', 'a', '', '', '', 'done', 0)");
    return {};
  }));
  const auto audit = Audit::open(*database, {100, 20});
  ASSERT_TRUE(audit) << audit.error().message();
  ASSERT_TRUE((*audit)->record(entry("bob", 1)));
  const auto all = *(*audit)->list({});
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[1].who, "anna");
}

TEST_F(AuditTest, WhatIsTooLongIsBounded) {
  Audit::Entry big = entry(std::string(100'000, 'a'), 0);
  big.after = '"' + std::string(100'000, 'b') + '"';
  ASSERT_TRUE(audit_->record(big));
  EXPECT_EQ(list()[0].who.size(), 512U);
  EXPECT_EQ(list()[0].after, R"("too long to be kept here")");
}

}  // namespace
}  // namespace beaconry
