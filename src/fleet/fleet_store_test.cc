#include "fleet/fleet_store.h"

#include <gtest/gtest.h>

#include "fleet/fleet_documents.h"
#include "fleet/test_report.h"

namespace beaconry {
namespace {

using namespace std::chrono_literals;
using Heard = SensorIdentity::Heard;
using test::report;
using test::report_text;

const Timestamp kStart = *parse_rfc3339("2026-11-20T08:00:00Z");
const std::string kKey(64, 'a'), kOther(64, 'b');

class FleetStoreTest : public testing::Test {
 protected:
  FleetStoreTest() {
    reopen();
    EXPECT_TRUE(store_->enrol(kKey, "oulu-1", kStart));
  }
  void reopen() {
    auto opened = FleetStore::open(*database_);
    ASSERT_TRUE(opened) << opened.error().message();
    store_ = std::move(*opened);
  }

  // The version that it has then.
  std::uint64_t wish(const MergedLayers& merged, Timestamp now) {
    EXPECT_TRUE(store_->wish({{kKey, std::make_shared<const MergedLayers>(merged)}}, now));
    return store_->find(kKey)->wish.version;
  }

  std::unique_ptr<Database> database_ = std::move(*Database::open(""));
  std::unique_ptr<FleetStore> store_;
};

TEST_F(FleetStoreTest, TheSameKeyAgainIsTheSameSensor) {
  ASSERT_TRUE(store_->set_labels(kKey, {{"site", "oulu"}}));
  ASSERT_TRUE(store_->enrol(kKey, "another", kStart + 1h));
  ASSERT_EQ(store_->sensors().size(), 1U);
  EXPECT_EQ(store_->find(kKey)->name, "oulu-1");
  EXPECT_EQ(store_->find("oulu-1")->enrolled, kStart);
  EXPECT_FALSE(store_->enrol(kOther, "oulu-1", kStart));
  ASSERT_TRUE(store_->enrol(kOther, "oulu-2", kStart));
  EXPECT_FALSE(store_->rename(kOther, "oulu-1"));
  ASSERT_TRUE(store_->rename(kOther, "turku"));
  EXPECT_FALSE(store_->rename(std::string(64, 'c'), "x"));
  reopen();
  EXPECT_EQ(store_->find(kKey)->labels, (Labels{{"site", "oulu"}}));
  EXPECT_TRUE(store_->find("turku"));
  ASSERT_TRUE(store_->forget(kOther));
  reopen();
  EXPECT_FALSE(store_->find(kOther));
}

TEST_F(FleetStoreTest, KnowsAfterARestartWhatASensorWasLast) {
  ASSERT_TRUE(store_->hear(kKey, report(R"("runtime_fault":"no socket","desired_version":4)"),
                           "10.0.0.1", kStart + 1min));
  ASSERT_TRUE(store_->hear(
      kKey,
      *Reported::parse(report_text(R"("runtime_fault":"no socket","desired_version":4)", "b1", 2)),
      "10.0.0.1", kStart + 2min));
  const std::string state = *store_->reported(kKey);
  EXPECT_NE(state.find("no socket"), std::string::npos);
  ASSERT_TRUE(store_->save());
  reopen();
  const auto sensor = store_->find(kKey);
  ASSERT_TRUE(sensor);
  const SensorStanding standing = stand(sensor->memory, {}, kStart + 3min);
  EXPECT_EQ(standing.state, SensorState::unhealthy);
  EXPECT_EQ(standing.since, kStart + 1min);
  EXPECT_EQ(sensor->memory.version, 4U);
  EXPECT_EQ(sensor->version, "1.0");
  EXPECT_EQ(sensor->clock_skew, Duration(-2min));
  EXPECT_EQ(sensor->identity.boot(), "b1");
  EXPECT_EQ(*store_->reported(kKey), state);
}

TEST_F(FleetStoreTest, TakesNoReportTwiceAndNoneOfAStranger) {
  EXPECT_EQ(*store_->hear(kKey, report(), "10.0.0.1", kStart), Heard::news);
  EXPECT_EQ(*store_->hear(kKey, report(R"("runtime_fault":"x")"), "10.0.0.1", kStart),
            Heard::stale);
  EXPECT_EQ(store_->reported(kKey)->find("runtime_fault"), std::string::npos);
  EXPECT_FALSE(store_->hear(kOther, report(), "10.0.0.1", kStart));
  EXPECT_FALSE(store_->reported(kOther));
}

TEST_F(FleetStoreTest, VersionsOfAWishOnlyGrow) {
  const MergedLayers one{R"({"instances":{}})", "{}"};
  const MergedLayers two{R"({"instances":{"b_0":{"image":"a"}}})", "{}"};
  EXPECT_EQ(wish(one, kStart), 1U);
  EXPECT_EQ(wish(one, kStart + 1h), 1U);
  EXPECT_EQ(wish(two, kStart + 2h), 2U);
  reopen();
  EXPECT_EQ(store_->find(kKey)->wish.document(), two.json);
  EXPECT_EQ(wish(one, kStart + 3h), 3U);
  // The sensor knows more than this server, which was restored from a back-up.
  ASSERT_TRUE(store_->hear(kKey, report(R"("desired_version":40)"), "10.0.0.1", kStart));
  EXPECT_EQ(wish(one, kStart + 4h), 41U);
  EXPECT_EQ(wish(one, kStart + 5h), 41U);
}

class FleetDocumentsTest : public testing::Test {
 protected:
  std::unique_ptr<Database> database_ = std::move(*Database::open(""));
  std::unique_ptr<FleetDocuments> documents_ = std::move(*FleetDocuments::open(*database_));
};

TEST_F(FleetDocumentsTest, KeepWhoWroteWhatAndWhen) {
  EXPECT_FALSE(documents_->current("fleet")->has_value());
  ASSERT_TRUE(documents_->put("fleet", R"({"instances":{}})", "anna", "api", kStart));
  EXPECT_EQ(documents_->put("fleet", R"({"instances":{}})", "ben", "api", kStart + 1h)->number, 1U);
  EXPECT_EQ(documents_->put("fleet", "{}", "ben", "cli", kStart + 2h)->number, 2U);
  ASSERT_TRUE(documents_->put("group:ot", "{}", "anna", "api", kStart));
  const auto history = documents_->history("fleet");
  ASSERT_TRUE(history && history->size() == 2);
  EXPECT_EQ((*history)[0].who, "ben");
  EXPECT_EQ((*history)[0].time, kStart + 2h);
  EXPECT_EQ(documents_->version("fleet", 1)->json, R"({"instances":{}})");
  EXPECT_FALSE(documents_->version("fleet", 3));
  EXPECT_EQ((*documents_->current("fleet"))->number, 2U);
  EXPECT_EQ(*documents_->targets(), (std::vector<std::string>{"fleet", "group:ot"}));
}

TEST_F(FleetDocumentsTest, KeepTheNewestHundred) {
  for (int i = 0; i < 105; ++i)
    ASSERT_TRUE(documents_->put("fleet", "{\"i\":" + std::to_string(i) + '}', "a", "api", kStart));
  EXPECT_EQ(documents_->history("fleet")->size(), FleetDocuments::kMostVersions);
  EXPECT_FALSE(documents_->version("fleet", 5));
  EXPECT_TRUE(documents_->version("fleet", 6));
}

TEST_F(FleetDocumentsTest, KnowWithoutLookingWhichVersionIsTheNewest) {
  EXPECT_EQ(documents_->newest("fleet"), 0U);
  ASSERT_TRUE(documents_->put("fleet", "{}", "a", "api", kStart));
  ASSERT_TRUE(documents_->put("fleet", R"({"instances":{}})", "a", "api", kStart));
  ASSERT_TRUE(documents_->put("sensor:a", "{}", "a", "api", kStart));
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(documents_->newest("fleet"), 2U);
    EXPECT_EQ(documents_->newest("sensor:a"), 1U);
    documents_ = std::move(*FleetDocuments::open(*database_));
  }
  ASSERT_TRUE(documents_->move("sensor:a", "sensor:b"));
  EXPECT_EQ(documents_->newest("sensor:a"), 0U);
  EXPECT_EQ(documents_->newest("sensor:b"), 1U);
  ASSERT_TRUE(documents_->move("sensor:a", "sensor:b"));  // once more: there is nothing left
  EXPECT_EQ(documents_->newest("sensor:b"), 1U);
  ASSERT_TRUE(documents_->forget("sensor:b"));
  EXPECT_EQ(documents_->newest("sensor:b"), 0U);
}

TEST_F(FleetDocumentsTest, RefuseWhatIsNone) {
  EXPECT_FALSE(documents_->put("fleet", "[]", "a", "api", kStart));
  for (const char* target : {"", "group:", "groups:x", "sensor", "group:a\nb"})
    EXPECT_FALSE(documents_->put(target, "{}", "a", "api", kStart)) << target;
}

}  // namespace
}  // namespace beaconry
