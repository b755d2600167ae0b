#include "image/config_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "image/manifest.h"

namespace beaconry {
namespace {

using testing::HasSubstr;

constexpr const char* kSchema = R"({
  "type": "object",
  "properties": {
    "interface": {"type": "string", "minLength": 1},
    "ports": {"type": "array", "items": {"type": "integer", "maximum": 65535}},
    "deep": {"type": "object", "properties": {"a/b": {"enum": ["x", "y"]}}},
    "tree": {"$ref": "#/definitions/tree"}
  },
  "definitions": {"tree": {"type": "object", "properties": {"child": {"$ref": "#/definitions/tree"}},
                           "additionalProperties": false}},
  "required": ["interface"],
  "additionalProperties": false
})";

TEST(ConfigCheck, WhatFitsIsTaken) {
  for (const char* config :
       {R"({"interface": "probe"})", R"({"interface": "p", "ports": [1, 65535]})",
        R"({"interface": "p", "deep": {"a/b": "y"}, "tree": {"child": {"child": {}}}})"}) {
    const auto fits = check_config(kSchema, config);
    EXPECT_TRUE(fits) << fits.error().message();
  }
}

TEST(ConfigCheck, ErrorsNameThePlaceAsAJsonPointer) {
  const struct {
    const char *config, *words;
  } wrong[] = {
      {R"({"interface": 5})", "/interface: "},
      {R"({"interface": "p", "ports": [1, 2, "x"]})", "/ports/2: "},
      {R"({"interface": "p", "ports": [70000]})", "/ports/0: "},
      {R"({"interface": "p", "deep": {"a/b": "z"}})", "/deep/a~1b: "},
      {R"({"interface": "p", "tree": {"child": {"child": {"other": 1}}}})", "/tree/child/child"},
      {R"({})", "interface"},
      {R"({"interface": "p", "more": 1})", "more"},
      {"[]", "must be an object"},
      {"{", "no JSON"},
  };
  for (const auto& each : wrong) {
    const auto fits = check_config(kSchema, each.config);
    ASSERT_FALSE(fits) << each.config;
    EXPECT_THAT(fits.error().message(), HasSubstr(each.words)) << each.config;
  }
}

TEST(ConfigCheck, WithoutASchemaNothingMayBeSet) {
  EXPECT_TRUE(check_config("", "{}"));
  const auto refused = check_config("", R"({"a": 1})");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message(), HasSubstr("takes no configuration"));
}

TEST(ConfigCheck, SchemasThatAreNoneOrEndlessAreRefused) {
  for (const char* schema :
       {"5", "{", R"({"type": "strng"})", R"({"properties": 5})", R"({"$ref": "#"})",
        R"({"$ref": "#/definitions/a", "definitions": {"a": {"$ref": "#/definitions/b"},
            "b": {"anyOf": [{"$ref": "#/definitions/a"}]}}})",
        R"({"properties": {"a": {"$ref": "http://example.com/schema"}}})",
        R"({"properties": {"a": {"$ref": "#/nowhere"}}})",
        R"({"properties": {"a": {"pattern": "("}}})",
        R"({"properties": {"a": {"pattern": "^(a+)+$"}}})",
        R"({"properties": {"a": {"pattern": "^([a-z]*b|c)*$"}}})"}) {
    EXPECT_FALSE(check_schema(schema)) << schema;
  }
  std::string wide = R"({"$ref": "#/definitions/a0", "definitions": {)";
  for (int i = 0; i < 40; ++i) {
    const std::string next = R"({"$ref": "#/definitions/a)" + std::to_string(i + 1) + "\"}";
    wide += "\"a" + std::to_string(i) + R"(": {"anyOf": [)" + next + ',' + next + "]},";
  }
  EXPECT_FALSE(check_schema(wide + R"("a40": {"type": "string"}}})"));
  EXPECT_TRUE(check_schema(kSchema));
  EXPECT_TRUE(check_schema(R"({"properties": {"a": {"pattern": "^([0-9]{1,3}\\.){3}[0-9]+$"}}})"));
}

TEST(ConfigCheck, LongAndDeepConfigurationsAreRefusedNotMatched) {
  const char* schema = R"({"properties": {"a": {"type": "string", "pattern": "^(a|b)*$"}}})";
  EXPECT_TRUE(check_config(schema, R"({"a": ")" + std::string(1024, 'a') + "\"}"));
  EXPECT_TRUE(check_config(schema, R"({"b": ")" + std::string(100'000, 'a') + "\"}"));
  EXPECT_FALSE(check_config(schema, R"({"a": ")" + std::string(100'000, 'a') + "\"}"));
  EXPECT_FALSE(check_config("{}", R"({"a": )" + std::string(100'000, '[')));
  EXPECT_FALSE(
      check_config("{}", R"({"a": )" + std::string(100, '[') + std::string(100, ']') + "}"));
  EXPECT_FALSE(check_config("{}", R"({"a": ")" + std::string(300'000, 'a') + "\"}"));
}

}  // namespace
}  // namespace beaconry
