#include "control/triage.h"

#include <gtest/gtest.h>

#include <functional>

namespace beaconry {
namespace {

constexpr Timestamp kNow{std::chrono::seconds{1'800'000'000}};
constexpr auto kHour = std::chrono::hours{1};
const std::string kPair = "10.0.0.5->cdn.example.com:443/TCP";
const std::vector<std::string> kThere = {"203.0.113.9", "203.0.113.10"};

Triage::Entry entry() {
  return {kPair, Triage::Decision::benign, "our updater", "anna", kNow, {}, 60, kThere};
}

class TriageTest : public testing::Test {
 protected:
  bool holds(double interval, const std::vector<std::string>& there, Timestamp now = kNow) {
    const auto held = triage_->holds(kPair, interval, there, now);
    EXPECT_TRUE(held) << held.error().message();
    return held && held->has_value();
  }
  std::string last_step() {
    const auto steps = triage_->history(kPair);
    EXPECT_TRUE(steps);
    return steps->empty() ? "" : steps->back().what + ": " + steps->back().words;
  }
  std::unique_ptr<Database> database_ = std::move(*Database::open(""));
  std::unique_ptr<Triage> triage_ = std::move(*Triage::open(*database_));
};

TEST_F(TriageTest, ADecisionHoldsWhileTheBeaconIsWhatItWasAlsoAfterARestart) {
  EXPECT_FALSE(holds(60, kThere));
  ASSERT_TRUE(triage_->decide(entry()));
  EXPECT_TRUE(holds(60, kThere));
  EXPECT_TRUE(holds(70, {"203.0.113.10", "198.51.100.1"}));
  triage_ = std::move(*Triage::open(*database_));
  EXPECT_TRUE(holds(60, kThere));
  EXPECT_EQ(triage_->find(kPair)->reason, "our updater");
  EXPECT_EQ(triage_->list().size(), 1U);
}

TEST_F(TriageTest, AnotherRhythmReopens) {
  ASSERT_TRUE(triage_->decide(entry()));
  EXPECT_FALSE(holds(300, kThere));
  EXPECT_EQ(last_step(), "reopened: its interval changed from 60.0s to 5m 0s");
  EXPECT_FALSE(holds(60, kThere));  // once open, it stays open
}

TEST_F(TriageTest, AnotherDestinationReopens) {
  ASSERT_TRUE(triage_->decide(entry()));
  EXPECT_FALSE(holds(60, {"198.51.100.1"}));
  EXPECT_EQ(last_step(), "reopened: its destination changed from 203.0.113.9 to 198.51.100.1");
}

TEST_F(TriageTest, ADecisionEndsWithItsTimeOrByWithdrawal) {
  auto brief = entry();
  brief.expires = kNow + kHour;
  ASSERT_TRUE(triage_->decide(brief));
  EXPECT_TRUE(holds(60, kThere));
  EXPECT_FALSE(holds(60, kThere, kNow + kHour));
  EXPECT_EQ(last_step().substr(0, 8), "expired:");
  ASSERT_TRUE(triage_->decide(entry()));
  EXPECT_TRUE(*triage_->withdraw(kPair, "bob", "I was wrong", kNow));
  EXPECT_FALSE(*triage_->withdraw(kPair, "bob", "again", kNow));
  EXPECT_FALSE(holds(60, kThere));
  EXPECT_EQ(last_step(), "withdrawn: I was wrong");
  EXPECT_EQ(triage_->history(kPair)->size(), 4U);
}

TEST_F(TriageTest, ADecisionNeedsAReason) {
  for (const auto& change : std::vector<std::function<void(Triage::Entry&)>>{
           [](auto& e) { e.reason = "  "; }, [](auto& e) { e.reason.assign(5000, 'x'); },
           [](auto& e) { e.subject.clear(); }, [](auto& e) { e.expires = kNow; },
           [](auto& e) { e.interval_seconds = -1; }}) {
    auto wrong = entry();
    change(wrong);
    EXPECT_FALSE(triage_->decide(wrong));
  }
  EXPECT_TRUE(triage_->list().empty());
  EXPECT_EQ(parse_decision("benign"), Triage::Decision::benign);
  EXPECT_FALSE(parse_decision("fine"));
}

}  // namespace
}  // namespace beaconry
