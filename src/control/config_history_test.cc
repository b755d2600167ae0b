#include "control/config_history.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace beaconry {
namespace {

constexpr Timestamp kNow{std::chrono::seconds{1'800'000'000}};
constexpr const char* kFile =
    "detection:\n  alert_threshold: 0.75\n  cv_threshold: 0.2\n"
    "alerting:\n  webhook_url: https://hook.example/secret\n"
    "control_plane: {api_key: abc, listen_port: 9091}\n";

ConfigDocument file(const std::string& text) {
  const auto document = ConfigDocument::parse(text, "config.yaml");
  EXPECT_TRUE(document) << document.error().message();
  return document.value_or(ConfigDocument{});
}

class ConfigHistoryTest : public testing::Test {
 protected:
  ConfigHistoryTest() { start(kFile); }
  void start(const std::string& text, ConfigHistory::Check check = {}) {
    if (!database_) database_ = std::move(*Database::open(""));
    history_.reset();
    auto opened = ConfigHistory::open(*database_, file(text), kNow, std::move(check));
    ASSERT_TRUE(opened) << opened.error().message();
    history_ = std::move(*opened);
  }
  std::uint64_t edit(const std::string& json) {
    const auto done = history_->edit(json, "anna", kNow);
    EXPECT_TRUE(done) << done.error().message();
    return done.value_or(0);
  }
  std::string refused(const std::string& json) {
    const auto done = history_->edit(json, "anna", kNow);
    return done ? "" : done.error().message();
  }
  const ConfigValues& values() {
    held_ = history_->current();
    return held_->values;
  }
  std::string origin(const char* key) { return values().origin(key).to_string(); }

  std::unique_ptr<Database> database_;
  std::unique_ptr<ConfigHistory> history_;
  std::shared_ptr<const HuntConfig> held_;
};

TEST_F(ConfigHistoryTest, TheFirstStartIsTheFirstVersionAndTheNextOneIsNone) {
  EXPECT_EQ(history_->version(), 1U);
  start(kFile);
  EXPECT_EQ(history_->version(), 1U);
  EXPECT_EQ(values().number("detection.alert_threshold"), 0.75);
  EXPECT_EQ(origin("detection.alert_threshold"), "config.yaml line 2");
}

TEST_F(ConfigHistoryTest, AnEditHoldsAndSurvivesARestart) {
  EXPECT_EQ(edit(R"({"detection": {"alert_threshold": 0.9},
                     "weights": {"cv": 0.25, "periodicity": 0.45},
                     "whitelist": {"destination_ips": ["192.0.2.0/24"]}})"),
            2U);
  for (int start_count = 0; start_count < 2; ++start_count) {
    EXPECT_EQ(held_ = history_->current(), history_->current());
    EXPECT_EQ(held_->detection.alert_threshold, 0.9);
    EXPECT_EQ(held_->detection.cv_weight, 0.25);
    EXPECT_EQ(held_->allow.size(), 1U);
    EXPECT_EQ(origin("detection.alert_threshold"),
              "API version 2 by anna at 2027-01-15T08:00:00.000Z");
    EXPECT_EQ(origin("detection.cv_threshold"), "config.yaml line 3");
    EXPECT_EQ(origin("detection.size_weight"), "default");
    start(kFile);
  }
}

TEST_F(ConfigHistoryTest, AnEditIsTakenAsAWholeOrNotAtAll) {
  std::vector<Error> all;
  const auto refused = history_->edit(
      R"({"detection": {"alert_threshold": 0.9, "cv_treshold": 1}, "whitelist": {"ports": 5}})",
      "anna", kNow, &all);
  ASSERT_FALSE(refused);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].message(),
            "read the request line 1: unknown key 'cv_treshold' in 'detection'; did you mean "
            "'cv_threshold'?");
  EXPECT_EQ(all[1].message(),
            "read the request line 1: 'whitelist.ports' must be a list such as [a, b], is '5'");
  EXPECT_EQ(history_->version(), 1U);
  EXPECT_EQ(values().number("detection.alert_threshold"), 0.75);
}

TEST_F(ConfigHistoryTest, WhatOnlyTheWholeShowsIsRefusedToo) {
  EXPECT_EQ(refused(R"({"weights": {"cv": 0.5}})"),
            "read the request: cv_weight, periodicity_weight, jitter_weight, size_weight must sum "
            "to 1, sum to 1.15");
  EXPECT_EQ(refused(R"({"whitelist": {"source_ips": ["host"]}})").substr(0, 16),
            "read the request");
  EXPECT_EQ(refused(R"({"detection": {"min_beacon_interval": "2h", "max_beacon_interval": "1h"}})"),
            "read the request: min_beacon_interval is above max_beacon_interval: nothing could "
            "pass");
  start(kFile, [](const HuntConfig& config) -> Result<void> {
    if (!config.values.boolean("alerting.webhook.enabled")) return {};
    return fail(ErrorKind::usage, "make", "the web hook", "no");
  });
  EXPECT_EQ(refused(R"({"alerting": {"webhook_enabled": true}})"), "make the web hook: no");
  EXPECT_EQ(history_->version(), 1U);
}

TEST_F(ConfigHistoryTest, SectionsThatOnlyTheFileSetsAreRefusedWithWords) {
  for (const char* body : {R"({"control_plane": {"listen_port": 1}})", R"({"logging": {}})"}) {
    EXPECT_NE(refused(body).find("cannot be changed at run time; detection, weights, alerting and "
                                 "whitelist can"),
              std::string::npos)
        << body;
  }
  EXPECT_NE(refused(R"({"weights": {"cvv": 1}})").find("known here: cv, periodicity, jitter, size"),
            std::string::npos);
  EXPECT_NE(refused("[1]"), "");
  EXPECT_NE(refused("{\"a\": "), "");
}

TEST_F(ConfigHistoryTest, WhatIsReadCanBePostedAndChangesNothing) {
  edit(
      R"({"detection": {"min_connections": 7}, "alerting": {"webhook": {"headers": {"A": "b"}}}})");
  const std::string body = history_->to_json();
  EXPECT_EQ(body.find("hook.example"), std::string::npos);
  EXPECT_EQ(body.find("\"b\""), std::string::npos);
  const auto json = nlohmann::json::parse(body);
  EXPECT_EQ(json["version"], 2);
  EXPECT_EQ(json["detection"]["alert_threshold"], 0.75);
  EXPECT_EQ(json["detection"]["min_connections"], 7);
  EXPECT_FALSE(json["detection"].contains("cv_weight"));
  EXPECT_EQ(json["weights"],
            nlohmann::json::parse(R"({"cv":0.35,"periodicity":0.35,"jitter":0.15,"size":0.15})"));
  EXPECT_EQ(json["alerting"]["webhook"]["url"], "********");
  EXPECT_EQ(edit(body), 2U);
  EXPECT_EQ(values().text("alerting.webhook.url"), "https://hook.example/secret");
  EXPECT_EQ((*values().entries("alerting.webhook.headers"))[0].text, "b");
}

TEST_F(ConfigHistoryTest, AnEditThatBeganWithAnotherVersionIsRefused) {
  edit(R"({"version": 1, "detection": {"alert_threshold": 0.8}})");
  EXPECT_EQ(refused(R"({"version": 1, "detection": {"alert_threshold": 0.9}})"),
            "change the configuration: it was changed meanwhile: version 2 holds, the request "
            "began with 1");
}

TEST_F(ConfigHistoryTest, NullGoesBackToTheDefaultAndTheFilesOwnValueIsNoEdit) {
  edit(R"({"detection": {"alert_threshold": null}})");
  EXPECT_EQ(values().number("detection.alert_threshold"), 0.7);
  edit(R"({"detection": {"alert_threshold": 0.75}})");
  EXPECT_EQ(origin("detection.alert_threshold"), "config.yaml line 2");
}

TEST_F(ConfigHistoryTest, TheLatestEditOfEachKeyWins) {
  edit(R"({"detection": {"alert_threshold": 0.9, "cv_threshold": 0.3, "min_connections": 5}})");
  start("detection: {alert_threshold: 0.8, cv_threshold: 0.2}\n");
  EXPECT_EQ(history_->version(), 3U);
  EXPECT_EQ(values().number("detection.alert_threshold"), 0.8);
  EXPECT_EQ(values().number("detection.cv_threshold"), 0.3);
  EXPECT_EQ(values().count("detection.min_connections"), 5U);
  EXPECT_EQ(history_->warnings(),
            std::vector<std::string>{"edits of detection.alert_threshold hold no more: the file "
                                     "was changed after"});
  EXPECT_TRUE(history_->warnings().empty());
  start("detection: {cv_threshold: 0.2}\n");  // a key that the file drops was changed as well
  EXPECT_EQ(values().number("detection.alert_threshold"), 0.7);
}

TEST_F(ConfigHistoryTest, TheFourWeightsCountAsOne) {
  edit(R"({"weights": {"cv": 0.25, "periodicity": 0.45}})");
  start("detection: {cv_weight: 0.3, size_weight: 0.2}\n");
  EXPECT_EQ(values().number("detection.cv_weight"), 0.3);
  EXPECT_EQ(values().number("detection.periodicity_weight"), 0.35);
}

TEST_F(ConfigHistoryTest, EditsThatDoNotGoWithTheFileGiveWay) {
  edit(R"({"detection": {"min_beacon_interval": 600}})");
  start("detection: {max_beacon_interval: 60}\n");
  EXPECT_FALSE(values().seconds("detection.min_beacon_interval"));
  ASSERT_EQ(history_->warnings().size(), 1U);
  EXPECT_EQ(history_->version(), 3U);
}

TEST_F(ConfigHistoryTest, ARollbackIsANewVersionWithTheOldValues) {
  edit(R"({"detection": {"alert_threshold": 0.9}})");
  edit(R"({"detection": {"alert_threshold": 0.95, "min_connections": 3}})");
  const auto done = history_->roll_back(2, "bob", kNow);
  ASSERT_TRUE(done) << done.error().message();
  EXPECT_EQ(*done, 4U);
  EXPECT_EQ(values().number("detection.alert_threshold"), 0.9);
  EXPECT_FALSE(values().count("detection.min_connections"));
  ASSERT_TRUE(history_->roll_back(1, "bob", kNow));
  EXPECT_EQ(values().number("detection.alert_threshold"), 0.75);
  EXPECT_FALSE(history_->roll_back(99, "bob", kNow));
}

TEST_F(ConfigHistoryTest, ARollbackUndoesAChangedFileToo) {
  start("detection: {alert_threshold: 0.8}\n");
  ASSERT_TRUE(history_->roll_back(1, "bob", kNow));
  EXPECT_EQ(values().number("detection.alert_threshold"), 0.75);
  EXPECT_EQ(values().number("detection.cv_threshold"), 0.2);
  EXPECT_EQ(values().text("alerting.webhook.url"), "https://hook.example/secret");
}

TEST_F(ConfigHistoryTest, TheHistorySaysWhoChangedWhatAndHidesSecrets) {
  edit(
      R"({"detection": {"alert_threshold": 0.9}, "alerting": {"webhook_url": "https://x.example"}})");
  const auto versions = history_->versions(10);
  ASSERT_TRUE(versions) << versions.error().message();
  ASSERT_EQ(versions->size(), 2U);
  const auto& newest = versions->front();
  EXPECT_EQ(newest.who, "anna");
  EXPECT_EQ(newest.how, "api");
  ASSERT_EQ(newest.changes.size(), 2U);
  EXPECT_EQ(newest.changes[0].key, "detection.alert_threshold");
  EXPECT_EQ(newest.changes[0].before, "0.75");
  EXPECT_EQ(newest.changes[0].after, "0.9");
  EXPECT_EQ(newest.changes[1].after, "\"********\"");
  EXPECT_EQ(versions->back().how, "file");
  EXPECT_EQ(history_->versions(10, 2)->size(), 1U);
}

TEST_F(ConfigHistoryTest, EveryKeyTellsWhereItsValueCameFrom) {
  edit(R"({"detection": {"alert_threshold": 0.9}})");
  const auto json = nlohmann::json::parse(history_->origins_json());
  std::map<std::string, std::string> origins;
  for (const auto& row : json["values"])
    origins[row["key"]] = row["origin"];
  EXPECT_EQ(origins["control_plane.listen_port"], "config.yaml line 6");
  EXPECT_EQ(origins["detection.alert_threshold"].substr(0, 21), "API version 2 by anna");
  EXPECT_EQ(origins["logging.level"], "default");
  EXPECT_EQ(history_->origins_json().find("abc"), std::string::npos);
}

TEST_F(ConfigHistoryTest, AFileThatIsWrongIsRefusedAndNothingChanges) {
  edit(R"({"detection": {"alert_threshold": 0.9}})");
  EXPECT_FALSE(history_->reload(file("detection: {cv_weight: 1}\n"), kNow));
  EXPECT_EQ(values().number("detection.alert_threshold"), 0.9);
  EXPECT_EQ(history_->version(), 2U);
  EXPECT_TRUE(history_->warnings().empty());
}

}  // namespace
}  // namespace beaconry
