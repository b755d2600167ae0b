#include "control/alerts.h"

#include <gtest/gtest.h>

namespace beaconry {
namespace {

constexpr Timestamp kNow{std::chrono::seconds{1'800'000'000}};

Alert alert(int number, Severity severity = Severity::medium) {
  Alert made;
  made.id = "id-" + std::to_string(number);
  made.kind = number % 2 ? "beacon.new" : "beacon.worse";
  made.title = "a beacon";
  made.severity = severity;
  made.source = "hunt";
  made.subject = "pair " + std::to_string(number % 3);
  made.details = R"({"score":0.8})";
  made.time = kNow + std::chrono::seconds{number};
  made.tags = {"c2", "named \"x\""};
  return made;
}

class AlertsTest : public testing::Test {
 protected:
  AlertsTest() {
    for (int i = 1; i <= 9; ++i)
      EXPECT_TRUE(alerts_->add(alert(i, i % 3 == 0 ? Severity::critical : Severity::medium)));
  }
  std::size_t count(const Alerts::Query& query) const {
    const auto page = alerts_->page(query);
    EXPECT_TRUE(page) << page.error().message();
    EXPECT_EQ(page->count, page->alerts.size());
    return page->alerts.size();
  }
  std::unique_ptr<Database> database_ = std::move(*Database::open(""));
  std::unique_ptr<Alerts> alerts_ = std::move(*Alerts::open(*database_));
};

TEST_F(AlertsTest, AreKeptWholeAndOnce) {
  ASSERT_TRUE(alerts_->add(alert(1)));
  EXPECT_EQ(*alerts_->count(), 9U);
  const auto found = alerts_->find("id-1");
  ASSERT_TRUE(*found);
  const Alert expected = alert(1);
  EXPECT_EQ((*found)->alert.title, expected.title);
  EXPECT_EQ((*found)->alert.tags, expected.tags);
  EXPECT_EQ((*found)->alert.details, expected.details);
  EXPECT_EQ((*found)->alert.time, expected.time);
  EXPECT_EQ((*found)->alert.severity, Severity::medium);
  EXPECT_FALSE(*alerts_->find("id-99"));
}

TEST_F(AlertsTest, ComeNewestFirstInPages) {
  Alerts::Query query;
  query.limit = 4;
  std::vector<std::string> ids;
  do {
    const auto page = alerts_->page(query);
    ASSERT_TRUE(page);
    EXPECT_EQ(page->count, 9U);
    for (const auto& kept : page->alerts)
      ids.push_back(kept.alert.id);
    query.before = page->next;
  } while (query.before != 0);
  ASSERT_EQ(ids.size(), 9U);
  EXPECT_EQ(ids.front(), "id-9");
  EXPECT_EQ(ids.back(), "id-1");
}

TEST_F(AlertsTest, AreFiltered) {
  Alerts::Query query;
  query.severity = Severity::critical;
  EXPECT_EQ(count(query), 3U);
  query = {};
  query.least = Severity::high;
  EXPECT_EQ(count(query), 3U);
  query = {};
  query.kind = "beacon.new";
  EXPECT_EQ(count(query), 5U);
  query.subject = "pair 1";
  EXPECT_EQ(count(query), 2U);
}

TEST_F(AlertsTest, CanBeAcknowledgedAndRemoved) {
  EXPECT_TRUE(*alerts_->acknowledge("id-2", "anna", "known", kNow));
  EXPECT_FALSE(*alerts_->acknowledge("id-99", "anna", "", kNow));
  EXPECT_EQ((*alerts_->find("id-2"))->acknowledged_by, "anna");
  Alerts::Query query;
  query.acknowledged = true;
  EXPECT_EQ(count(query), 1U);
  query.acknowledged = false;
  EXPECT_EQ(count(query), 8U);
  EXPECT_TRUE(*alerts_->remove("id-2"));
  EXPECT_FALSE(*alerts_->remove("id-2"));
  EXPECT_EQ(*alerts_->remove_all(), 8U);
  EXPECT_EQ(*alerts_->count(), 0U);
}

}  // namespace
}  // namespace beaconry
