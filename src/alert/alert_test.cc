#include "alert/alert.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "alert/test_alert.h"

namespace beaconry {
namespace {

TEST(Alert, ReadsBackWhatItWrote) {
  const Alert alert = test_alert();
  const auto back = alert_from_json(to_json(alert));
  ASSERT_TRUE(back) << back.error().message();
  EXPECT_EQ(to_json(*back), to_json(alert));
  EXPECT_EQ(back->id, alert.id);
  EXPECT_EQ(back->severity, alert.severity);
  EXPECT_EQ(back->time, alert.time);
  EXPECT_EQ(back->tags, alert.tags);
}

TEST(Alert, HasTheFieldsThatClientsKnow) {
  const auto json = nlohmann::json::parse(to_json(test_alert()));
  for (const char* key :
       {"alert_id", "title", "description", "severity", "source", "details", "timestamp", "tags"}) {
    EXPECT_TRUE(json.contains(key)) << key;
  }
  EXPECT_EQ(json["severity"], "HIGH");
  EXPECT_EQ(json["details"]["dst_port"], 443);
}

TEST(Alert, StaysValidJsonWhateverAnInputSaid) {
  Alert alert = test_alert();
  alert.title = "\xff\xfe\"\n</script>";
  alert.details = "not JSON";
  const auto json = nlohmann::json::parse(to_json(alert), nullptr, false);
  ASSERT_TRUE(json.is_object());
  EXPECT_TRUE(json["details"].is_object());
}

TEST(Alert, RefusesWhatIsNoAlert) {
  for (const char* text : {"", "[]", "{}", "{\"alert_id\": 5}"}) {
    EXPECT_FALSE(alert_from_json(text)) << text;
  }
  auto json = nlohmann::json::parse(to_json(test_alert()));
  json["severity"] = "TERRIBLE";
  EXPECT_THAT(alert_from_json(json.dump()).error().message(), testing::HasSubstr("TERRIBLE"));
}

}  // namespace
}  // namespace beaconry
