#include "config/document_history.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

namespace beaconry {
namespace {

constexpr Timestamp kTime{std::chrono::seconds{1'790'000'000}};

class DocumentHistoryTest : public testing::Test {
 protected:
  DocumentHistoryTest() {
    char name[] = "/tmp/beaconry_history_XXXXXX";
    folder_ = ::mkdtemp(name);
  }
  ~DocumentHistoryTest() override { std::filesystem::remove_all(folder_); }
  std::string folder_;
};

TEST_F(DocumentHistoryTest, NumbersSurviveAndTheNewestHolds) {
  {
    auto history = DocumentHistory::open(folder_ + "/a/b");
    ASSERT_TRUE(history) << history.error().message();
    EXPECT_FALSE(history->current());
    ASSERT_EQ(history->add(R"({"a": 1})", "anna", "cli", kTime)->number, 1U);
    ASSERT_EQ(history->add(R"({"a": 2})", "anna", "file", kTime)->number, 2U);
  }
  auto history = DocumentHistory::open(folder_ + "/a/b");
  ASSERT_TRUE(history);
  ASSERT_TRUE(history->current());
  EXPECT_EQ(history->current()->number, 2U);
  EXPECT_EQ(history->current()->who, "anna");
  EXPECT_EQ(history->current()->how, "file");
  EXPECT_EQ(history->current()->time, kTime);
  EXPECT_EQ(history->current()->json, R"({"a":2})");
  EXPECT_EQ(history->version(1)->json, R"({"a":1})");
}

TEST_F(DocumentHistoryTest, AnEqualDocumentMakesNoVersion) {
  auto history = DocumentHistory::open(folder_);
  ASSERT_EQ(history->add(R"({"a": 1, "b": 2})", "", "", kTime)->number, 1U);
  EXPECT_EQ(history->add(R"({"b":2,  "a":1})", "", "", kTime)->number, 1U);
  EXPECT_EQ(history->numbers(), std::vector<std::uint64_t>{1});
}

TEST_F(DocumentHistoryTest, OldVersionsGoWhereTheyAreTooLongTogether) {
  const auto text = [](int number, std::size_t size) {
    return '"' + std::to_string(number) + std::string(size, 'x') + '"';
  };
  {
    auto history = DocumentHistory::open(folder_, 50, 4000);
    for (int i = 0; i < 10; ++i)
      ASSERT_TRUE(history->add(text(i, 1000), "", "", kTime));
    EXPECT_EQ(history->numbers(), (std::vector<std::uint64_t>{8, 9, 10}));
  }
  auto history = DocumentHistory::open(folder_, 50, 4000);
  ASSERT_TRUE(history->add(text(10, 1000), "", "", kTime));
  EXPECT_EQ(history->numbers(), (std::vector<std::uint64_t>{9, 10, 11}));
  ASSERT_TRUE(history->add(text(11, 5000), "", "", kTime));  // the newest, whatever it is
  EXPECT_EQ(history->numbers(), std::vector<std::uint64_t>{12});
  EXPECT_EQ(DocumentHistory::open(folder_)->numbers(), std::vector<std::uint64_t>{12});
}

TEST_F(DocumentHistoryTest, OldVersionsGoAndTheirNumbersAreNamed) {
  auto history = DocumentHistory::open(folder_, 3);
  for (int i = 0; i < 10; ++i)
    ASSERT_TRUE(history->add(std::to_string(i), "", "", kTime));
  EXPECT_EQ(history->numbers(), (std::vector<std::uint64_t>{8, 9, 10}));
  const auto gone = history->version(2);
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().kind, ErrorKind::not_found);
  EXPECT_NE(gone.error().message().find("8 to 10"), std::string::npos);
  auto again = DocumentHistory::open(folder_, 3);
  EXPECT_EQ(again->add("true", "", "", kTime)->number, 11U);
}

TEST_F(DocumentHistoryTest, ARollbackIsANewVersion) {
  auto history = DocumentHistory::open(folder_);
  ASSERT_TRUE(history->add("1", "", "", kTime));
  ASSERT_TRUE(history->add("2", "", "", kTime));
  const auto back = history->add(history->version(1)->json, "anna", "rollback", kTime);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->number, 3U);
  EXPECT_EQ(history->current()->json, "1");
}

// At every moment of add() a crash leaves what is there now, or one more or fewer complete files
// and perhaps one that is not yet in place.
TEST_F(DocumentHistoryTest, ACrashBetweenWritesLeavesTheOldOrTheNew) {
  {
    auto history = DocumentHistory::open(folder_, 2);
    ASSERT_TRUE(history->add("1", "", "", kTime));
    ASSERT_TRUE(history->add("2", "", "", kTime));
  }
  std::ofstream(folder_ + "/000000000003.json.new") << R"({"version": 3, "docu)";
  {
    auto history = DocumentHistory::open(folder_, 2);
    EXPECT_EQ(history->current()->json, "2");
    // The next write takes the same place.
    EXPECT_EQ(history->add("3", "", "", kTime)->number, 3U);
  }
  // The newer one was written, the oldest not yet removed.
  std::ofstream(folder_ + "/000000000001.json") << R"({"document": 1})";
  auto history = DocumentHistory::open(folder_, 2);
  EXPECT_EQ(history->current()->json, "3");
  EXPECT_EQ(history->add("4", "", "", kTime)->number, 4U);
  EXPECT_EQ(history->numbers(), (std::vector<std::uint64_t>{3, 4}));
}

TEST_F(DocumentHistoryTest, ADamagedNewestGivesWayToTheOneBefore) {
  {
    auto history = DocumentHistory::open(folder_);
    ASSERT_TRUE(history->add("1", "", "", kTime));
    ASSERT_TRUE(history->add("2", "", "", kTime));
  }
  std::ofstream(folder_ + "/000000000002.json") << "{";
  auto history = DocumentHistory::open(folder_);
  EXPECT_EQ(history->current()->json, "1");
  EXPECT_EQ(history->add("9", "", "", kTime)->number, 3U);
}

TEST_F(DocumentHistoryTest, WhatIsNoJsonIsRefused) {
  auto history = DocumentHistory::open(folder_);
  EXPECT_FALSE(history->add("{", "", "", kTime));
  EXPECT_FALSE(history->current());
}

TEST_F(DocumentHistoryTest, RemovedIsGone) {
  auto history = DocumentHistory::open(folder_ + "/x");
  ASSERT_TRUE(history->add("1", "", "", kTime));
  ASSERT_TRUE(history->remove());
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/x"));
  EXPECT_FALSE(history->current());
}

TEST(JsonDiff, NamesEveryPlaceThatDiffers) {
  EXPECT_EQ(json_diff(R"({"interface": "a", "ports": [80, 81], "old/one": {}})",
                      R"({"interface": "b", "ports": [80, 82, 443]})"),
            (std::vector<std::string>{R"(/interface: "a" -> "b")", "/old~1one: removed {}",
                                      "/ports/1: 81 -> 82", "/ports/2: added 443"}));
  EXPECT_TRUE(json_diff(R"({"a":1})", R"({ "a": 1 })").empty());
  EXPECT_EQ(json_diff("1", "[]"), std::vector<std::string>{"/: 1 -> []"});
}

}  // namespace
}  // namespace beaconry
