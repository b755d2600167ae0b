#include "control/coverage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "escape/test_evidence_file.h"

namespace beaconry {
namespace {

using testing::HasSubstr;
constexpr auto kLater = std::chrono::hours{1};

class CoverageTest : public testing::Test {
 protected:
  void SetUp() override {
    add("press-line-3", 1);
    test::write_usual(file_);
  }
  void add(const std::string& name, std::uint8_t whose, std::vector<ProbePeer> peers = {}) {
    const PartyKeys keys = test::keys_of(whose);
    KeptProbe probe;
    probe.id = keys.id();
    probe.name = name;
    probe.sign_public = keys.sign_public();
    probe.box_public = keys.box_public();
    probe.home = std::string(64, 'a');
    probe.created = test::kStart;
    probe.peers = std::move(peers);
    const auto added = probes_->add(probe);
    ASSERT_TRUE(added) << added.error().message();
  }
  Result<Coverage::Kept> take(const std::string& text) {
    return coverage_->take(text, *probes_, "anna", test::kStart + kLater);
  }
  std::string refused(const std::string& text) {
    const auto taken = take(text);
    EXPECT_FALSE(taken);
    return taken ? "" : taken.error().message();
  }

  test::EvidenceFile file_;
  std::unique_ptr<Database> database_ = std::move(*Database::open(""));
  std::unique_ptr<Probes> probes_ = std::move(*Probes::open(*database_));
  std::unique_ptr<Coverage> coverage_ = std::move(*Coverage::open(*database_));
};

TEST_F(CoverageTest, ARecordIsKeptAsItsProbeSignedIt) {
  const auto taken = take(file_.text());
  ASSERT_TRUE(taken) << taken.error().message();
  coverage_ = std::move(*Coverage::open(*database_));  // a restart
  const auto kept = coverage_->find(test::keys_of(1).id());
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->who, "anna");
  EXPECT_EQ(kept->received, test::kStart + kLater);
  EXPECT_EQ(kept->report.rows, taken->report.rows);
  EXPECT_EQ(kept->report.heard, taken->report.heard);
  EXPECT_EQ(kept->report.last_short, taken->report.last_short);
  EXPECT_TRUE(kept->report.clean_end);
  ASSERT_EQ(kept->report.heard.size(), 1U);
  EXPECT_EQ(kept->report.heard[0].pings, 2U);
}

TEST_F(CoverageTest, WhatNobodyKnowsOrSomebodyChangedIsRefused) {
  EXPECT_THAT(refused("hello"), HasSubstr("none that a probe wrote"));
  EXPECT_THAT(refused(""), HasSubstr("none that a probe wrote"));
  std::string changed = file_.text();
  changed.replace(changed.find("answered"), 8, "Answered");
  EXPECT_THAT(refused(changed), HasSubstr("the record"));
  test::EvidenceFile other;
  ASSERT_TRUE((*other.open(test::kStart, 2))->end(test::kStart));
  EXPECT_THAT(refused(other.text()), HasSubstr("knows no probe"));
  EXPECT_FALSE(coverage_->find(test::keys_of(1).id()));
}

TEST_F(CoverageTest, AnOlderRecordDoesNotTakeANewersPlace) {
  test::EvidenceFile older;
  ASSERT_TRUE((*older.open(test::kStart - kLater))->end(test::kStart - kLater));
  ASSERT_TRUE(take(file_.text()));
  EXPECT_THAT(refused(older.text()), HasSubstr("a newer one is here"));
  EXPECT_TRUE(take(file_.text()));
}

TEST_F(CoverageTest, TheMatrixTellsWhoHeardWhomAndWhoCannotSay) {
  add("dmz-1", 2, {{"press-line-3", *IpAddress::parse("10.0.1.5"), false}});
  ASSERT_TRUE(take(file_.text()));
  const ZoneMatrix matrix = zone_matrix(probes_->list(), *coverage_, test::kStart + kLater);
  // "dmz #1" is what the record calls whom it heard.
  EXPECT_EQ(matrix.senders, (std::vector<std::string>{"dmz #1", "dmz-1", "press-line-3"}));
  ASSERT_EQ(matrix.rows.size(), 2U);
  EXPECT_EQ(matrix.rows[0].listener, "dmz-1");
  EXPECT_EQ(matrix.rows[0].cells[2].state, ZoneMatrix::State::unknown);
  const ZoneMatrix::Row& row = matrix.rows[1];
  EXPECT_EQ(row.cells[0].state, ZoneMatrix::State::reached);
  EXPECT_EQ(row.cells[0].pings, 2U);
  EXPECT_EQ(row.cells[0].may_reach, std::nullopt);
  EXPECT_EQ(row.cells[1].state, ZoneMatrix::State::silent);
  EXPECT_EQ(row.cells[1].may_reach, std::optional<bool>(false));
}

TEST_F(CoverageTest, WithoutPeersThereIsNoMatrix) {
  EXPECT_TRUE(zone_matrix(probes_->list(), *coverage_, test::kStart).rows.empty());
}

}  // namespace
}  // namespace beaconry
