#include "config/import_predecessor.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "config/keys.h"

namespace beaconry {
namespace {

constexpr const char* kOld = R"(
data_plane:
  interface: "eth1"
  ring_buffer_pages: 128
control_plane:
  listen_address: "0.0.0.0"
  max_connections: 10
  data_retention: 7200
  api_key: "s3cret"
detection:
  min_connections: 10
  min_duration: 300
  time_window: 3600
  min_beacon_interval: 10
  max_beacon_interval: 3600
  cv_threshold: 0.2
alerting:
  file_path: "/var/log/beacon-detect/alerts.json"
  webhook: {enabled: false, headers: {X-A: 'b: "c"'}}
  smtp_enabled: true
persistence: {db_path: null}
whitelist:
  destination_ports: [53, 123]
  pairs: ["10.0.0.5:169.254.169.254:80"]
benign_baseline:
  patterns: [{dst_port: 123, protocol: UDP, label: NTP}]
telemetry: {x: 1}
)";

class ImportTest : public testing::Test {
 protected:
  ImportTest() : imported_(import_predecessor(kOld, "old.yaml")) {
    EXPECT_TRUE(imported_) << imported_.error().message();
    const auto document = ConfigDocument::parse(imported_->text, "new.yaml");
    EXPECT_TRUE(document) << document.error().message() << imported_->text;
    const auto values = ConfigValues::read(config_schema(), *document);
    EXPECT_TRUE(values) << values.error().message() << imported_->text;
    if (values) values_ = *values;
  }
  bool told(const std::string& words) const {
    return std::any_of(imported_->changes.begin(), imported_->changes.end(),
                       [&](const std::string& line) { return line.find(words) != line.npos; });
  }
  Result<ImportedConfig> imported_;
  ConfigValues values_{config_schema()};
};

TEST_F(ImportTest, WhatNeedsNoChangeIsTakenOver) {
  EXPECT_EQ(values_.text("data_plane.interface"), "eth1");
  EXPECT_EQ(values_.count("data_plane.ring_buffer_pages"), 128U);
  EXPECT_EQ(values_.number("detection.cv_threshold"), 0.2);
  EXPECT_EQ(values_.text("alerting.file.path"), "/var/log/beacon-detect/alerts.json");
  EXPECT_EQ((*values_.entries("alerting.webhook.headers"))[0].text, "b: \"c\"");
  EXPECT_EQ(values_.text("control_plane.api_key"), "s3cret");
  EXPECT_EQ(values_.records("benign_baseline.patterns")->size(), 1U);
  EXPECT_EQ(values_.texts("whitelist.pairs")->size(), 1U);
}

TEST_F(ImportTest, WhatWouldLeaveTheServerOpenOrBeaconsUnseenIsPutRightAndTold) {
  EXPECT_EQ(values_.text("control_plane.listen_address"), "127.0.0.1");
  EXPECT_TRUE(told("control_plane.listen_address: was \"0.0.0.0\""));
  EXPECT_EQ(values_.count("control_plane.max_connections"), 20'000U);
  EXPECT_EQ(values_.duration("control_plane.data_retention"), std::chrono::hours{24});
  EXPECT_FALSE(values_.count("detection.min_connections"));
  EXPECT_FALSE(values_.seconds("detection.max_beacon_interval"));
  EXPECT_TRUE(told("detection.max_beacon_interval: was 3600; taken out, as it hides slower"));
  EXPECT_NE(imported_->text.find("# min_beacon_interval: 10\n"), std::string::npos);
}

TEST_F(ImportTest, ADnsPortIsKeptAndTold) {
  EXPECT_EQ(values_.texts("whitelist.destination_ports")->size(), 2U);
  EXPECT_TRUE(told("whitelist.destination_ports: kept, but port 53 hides DNS"));
}

TEST_F(ImportTest, KeysThatNobodyKnowsAreLeftOutAndTold) {
  EXPECT_TRUE(told("alerting.smtp_enabled: left out (old.yaml line 20): no such key"));
  EXPECT_TRUE(told("telemetry: left out (old.yaml line 27): no such key"));
}

TEST_F(ImportTest, SecretsAreNotTold) {
  EXPECT_FALSE(told("s3cret"));
}

TEST(Import, AFileOfDefaultsThatNeedNoChangeStaysQuiet) {
  const auto imported = import_predecessor(
      "control_plane: {listen_address: 127.0.0.1}\npersistence: {db_path: /tmp/a.db}\n", "o.yaml");
  ASSERT_TRUE(imported);
  EXPECT_TRUE(imported->changes.empty());
}

TEST(Import, ValuesThatCannotBeReadAreErrorsWithTheirLine) {
  const auto imported = import_predecessor("detection:\n  cv_threshold: tight\n", "o.yaml");
  ASSERT_FALSE(imported);
  EXPECT_EQ(imported.error().message().find("read o.yaml line 2: 'detection.cv_threshold'"), 0U);
}

}  // namespace
}  // namespace beaconry
