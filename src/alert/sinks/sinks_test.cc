#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "alert/sink.h"
#include "alert/test_alert.h"
#include "config/document.h"
#include "config/keys.h"

namespace beaconry {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

ConfigValues config(const std::string& yaml) {
  const auto document = ConfigDocument::parse(yaml, "config.yaml");
  EXPECT_TRUE(document) << document.error().message();
  auto values = ConfigValues::read(config_schema(), *document);
  EXPECT_TRUE(values) << values.error().message();
  return std::move(*values);
}

// The names of the sinks that a configuration enables, or the first error's words.
std::vector<std::string> enabled(const std::string& yaml) {
  const ConfigValues values = config(yaml);
  const auto sinks = make_sinks(values);
  if (!sinks) return {sinks.error().message()};
  std::vector<std::string> names;
  for (const auto& [name, sink] : *sinks)
    names.push_back(name);
  return names;
}

TEST(Sinks, NoneIsEnabledByDefault) {
  EXPECT_THAT(enabled("{}"), ElementsAre());
}

TEST(Sinks, OneSwitchTurnsAllOff) {
  EXPECT_THAT(enabled("alerting: {enabled: false, syslog_enabled: true}"), ElementsAre());
}

TEST(Sinks, BothSpellingsEnableThem) {
  const std::string path = testing::TempDir() + "sinks." + std::to_string(::getpid()) + ".json";
  EXPECT_THAT(enabled("alerting: {file: {enabled: true, path: " + path + "}}"),
              ElementsAre("file"));
  EXPECT_THAT(enabled("alerting: {file_enabled: true, file_path: " + path +
                      ", syslog_enabled: true, webhook_enabled: true, "
                      "webhook_url: 'http://127.0.0.1:1/hook'}"),
              ElementsAre("file", "syslog", "webhook"));
  std::filesystem::remove(path);
}

TEST(Sinks, WhatIsWrongIsNamedWithItsLine) {
  EXPECT_THAT(enabled("alerting:\n  webhook:\n    enabled: true\n"),
              ElementsAre(HasSubstr("alerting.webhook.url")));
  EXPECT_THAT(enabled("alerting:\n  syslog:\n    enabled: true\n    address: nowhere\n"),
              ElementsAre(testing::AllOf(HasSubstr("config.yaml line 4"), HasSubstr("udp://"))));
  EXPECT_THAT(enabled("alerting:\n  file:\n    enabled: true\n    path: /proc/x/alerts.json\n"),
              ElementsAre(HasSubstr("config.yaml line 4")));
}

TEST(Sinks, AHeaderIsNeverTwo) {
  const std::string path = testing::TempDir() + "header." + std::to_string(::getpid());
  std::ofstream(path) << "a\r\nx-evil: 1\n";
  EXPECT_THAT(enabled("alerting: {webhook: {enabled: true, url: 'http://127.0.0.1:1/', headers: "
                      "{authorization: 'file:" +
                      path + "'}}}"),
              ElementsAre(HasSubstr("control characters")));
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace beaconry
