#include "server/requests.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace beaconry {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(ConfigEdit, MakesSectionsOfPaths) {
  const auto edit = config_edit({"detection.cv_threshold=0.2", "alerting.webhook.enabled=true",
                                 "whitelist.ports=[53,123]", "alerting.file.path=/var/log/a.json"});
  ASSERT_TRUE(edit);
  EXPECT_EQ(*edit, R"({"alerting":{"file":{"path":"/var/log/a.json"},"webhook":{"enabled":true}},)"
                   R"("detection":{"cv_threshold":0.2},"whitelist":{"ports":[53,123]}})");
}

TEST(ConfigEdit, RefusesWhatIsNoAssignment) {
  for (const char* text : {"", "cv=1", "detection.cv_threshold", ".a=1", "detection.=1", "=1"}) {
    const auto edit = config_edit({text});
    ASSERT_FALSE(edit) << text;
    EXPECT_THAT(edit.error().message(), HasSubstr("section.key=value"));
  }
}

TEST(ConfigEdit, RefusesTwoValuesForOnePlace) {
  using Values = std::vector<std::string>;
  for (const Values& values : {Values{"a.b=1", "a.b.c=2"}, Values{"a.b.c=2", "a.b=1"},
                               Values{"a.b=1", "a.b=2"}, Values{"a.b={\"c\":1}", "a.b.c=2"},
                               Values{"a.b=null", "a.b.c=2"}, Values{"a.b=[1]", "a.b.c=2"}}) {
    const auto edit = config_edit(values);
    ASSERT_FALSE(edit) << values.front();
    EXPECT_THAT(edit.error().message(), HasSubstr(values.back()));
    EXPECT_THAT(edit.error().message(), HasSubstr("same key"));
  }
}

TEST(ConfigLines, ShowsWhereAValueCameFrom) {
  const auto lines = config_origin_lines(
      R"({"version": 3, "values": [
          {"key": "detection.cv_threshold", "value": 0.2, "origin": "config.yaml line 3"},
          {"key": "detection.alert_threshold", "value": 0.7, "origin": "default"}]})",
      "detection.cv_threshold");
  ASSERT_TRUE(lines);
  EXPECT_EQ(*lines, "detection.cv_threshold: 0.2    # config.yaml line 3\n");
}

// As src/control/routes/edges.cc answers.
constexpr const char* kEnrolment =
    R"({"kind":"collector","name":"sensor-1","token":"abc","expires":"2026-11-21T19:00:00Z",)"
    R"("ca_fingerprint":"00ff","url":"https://192.0.2.1:9090",)"
    R"("join":"BEACONRY_JOIN_TOKEN=abc beaconry-collector join https://192.0.2.1:9090 )"
    R"(--ca SHA256:00ff"})";

TEST(JoinLine, IsTheServersOwn) {
  EXPECT_EQ(*join_line(kEnrolment),
            "BEACONRY_JOIN_TOKEN=abc beaconry-collector join https://192.0.2.1:9090 "
            "--ca SHA256:00ff");
}

TEST(JoinLine, IsRefusedWhereTheServerHasNoTlsOrGivesNone) {
  const auto no_tls = join_line(R"({"token":"abc","ca_fingerprint":null,"join":"x"})");
  ASSERT_FALSE(no_tls);
  EXPECT_THAT(no_tls.error().message(), HasSubstr("no TLS"));
  const auto no_line = join_line(R"({"token":"abc","ca_fingerprint":"00ff"})");
  ASSERT_FALSE(no_line);
  EXPECT_THAT(no_line.error().message(), HasSubstr("how to join"));
}

TEST(JoinLine, CannotSteerTheTerminal) {
  EXPECT_THAT(*join_line(R"({"ca_fingerprint":"00ff","join":"a\u001b[2Jb"})"),
              Not(HasSubstr("\x1b")));
}

TEST(ConfigLines, ShowsASectionAndNotItsNamesakes) {
  const auto lines = config_lines(R"({"a": {"b": 1}, "ab": {"c": 2}})", "a");
  ASSERT_TRUE(lines);
  EXPECT_EQ(*lines, "a.b: 1\n");
}

TEST(ConfigLines, SaysThatAKeyIsNotThere) {
  EXPECT_FALSE(config_lines(R"({"a": {"b": 1}})", "a.c"));
}

TEST(JsonObject, LeavesEmptyTextsOut) {
  EXPECT_EQ(json_object({{"name", "x"}, {"reason", ""}}), R"({"name":"x"})");
}

}  // namespace
}  // namespace beaconry
