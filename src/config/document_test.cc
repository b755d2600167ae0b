#include "config/document.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <string>

namespace beaconry {
namespace {

std::string error_of(const std::string& text) {
  const auto document = ConfigDocument::parse(text, "a.yaml");
  return document ? "" : document.error().message();
}

TEST(ConfigDocument, KeepsEveryValueWithItsLine) {
  const auto document = ConfigDocument::parse(
      "# a comment\n"
      "detection:\n"
      "  cv_threshold: 0.2\n"
      "whitelist:\n"
      "  ports: [53,\n"
      "          '123']\n"
      "  pairs:\n"
      "    - \"10.0.0.5:169.254.169.254:80\"\n"
      "empty:\n",
      "a.yaml");
  ASSERT_TRUE(document);
  const ConfigNode& root = document->root;
  ASSERT_EQ(root.members.size(), 3U);
  const auto* threshold = root.find("detection")->value.find("cv_threshold");
  ASSERT_NE(threshold, nullptr);
  EXPECT_EQ(threshold->line, 3U);
  EXPECT_EQ(threshold->value.text, "0.2");
  const ConfigNode& ports = root.find("whitelist")->value.find("ports")->value;
  ASSERT_EQ(ports.items.size(), 2U);
  EXPECT_EQ(ports.items[1].text, "123");
  EXPECT_EQ(ports.items[1].line, 6U);
  EXPECT_EQ(root.find("whitelist")->value.find("pairs")->value.items[0].text,
            "10.0.0.5:169.254.169.254:80");
  EXPECT_EQ(root.find("empty")->value.kind, ConfigNode::Kind::null);
  EXPECT_EQ(root.find("nothing"), nullptr);
}

TEST(ConfigDocument, AFileWithoutContentIsNull) {
  for (const char* text : {"", "\n\n", "# only words\n", "---\n", "~\n"}) {
    const auto document = ConfigDocument::parse(text, "a.yaml");
    ASSERT_TRUE(document) << text;
    EXPECT_EQ(document->root.kind, ConfigNode::Kind::null) << text;
  }
}

struct Case {
  const char* text;
  const char* message;
};

TEST(ConfigDocument, RefusesWithFileLineAndRemedy) {
  for (const Case& c : {
           Case{"a: 1\nb: 2\na: 3\n", "read a.yaml line 3: key 'a' is given twice; remove one"},
           Case{"a: {x: 1, x: 2}\n", "read a.yaml line 1: key 'x' is given twice; remove one"},
           Case{"a: &x 1\nb: *x\n",
                "read a.yaml line 2: aliases (*name) are not supported; write the value out"},
           Case{"? [a, b]\n: 1\n", "read a.yaml line 1: a key must be a word, not a list or a map"},
           Case{"- a\n- b\n",
                "read a.yaml line 1: not a map of sections; write lines such as 'detection:'"},
           Case{"word\n",
                "read a.yaml line 1: not a map of sections; write lines such as 'detection:'"},
           Case{"a: 1\n---\nb: 2\n",
                "read a.yaml line 2: a second document begins; give each a file of its own"},
       }) {
    EXPECT_EQ(error_of(c.text), c.message);
  }
}

TEST(ConfigDocument, WhatIsNotYamlIsRefusedWithItsLine) {
  for (const char* text : {"a: 1\nb: [1, 2\n", "a: 1\n\tb: 2\n", "a: b: c\n", "a: [1]]\n",
                           "a: 1\n- b\n", "{a: 1\n", "%YAML 9\n", "a: @x\n"}) {
    const std::string error = error_of(text);
    EXPECT_EQ(error.substr(0, 17), "read a.yaml line ") << text << ": " << error;
  }
}

TEST(ConfigDocument, AQuoteThatIsNeverClosedSwallowsNothingInSilence) {
  for (const char* text : {"a: 1\nb: 'x\nc: 3\n", "a: 1\nb: \"x\nc: 3\n", "a: 1\n'b: x\n",
                           "a: 1\nb: 'it''s\n", "a: 1\nb: \"x\\\"\n"}) {
    EXPECT_EQ(error_of(text), "read a.yaml line 2: a quote is opened and never closed") << text;
  }
  for (const char* text : {"a: 'it''s'", "a: \"x\\\"\"\n", "'a': \"\"\n",
                           "\xef\xbb\xbf"
                           "a: 'b'",
                           "\xc3\xa9: 'b'", "a: |\n  'x\n", "a: it's\r\nb: 'c'\r\n"}) {
    EXPECT_EQ(error_of(text), "") << text;
  }
}

TEST(ConfigDocument, OtherEncodingsThanUtf8AreRefused) {
  EXPECT_EQ(error_of(std::string("a\0:\0 \0"
                                 "1\0",
                                 8)),
            "read a.yaml: not UTF-8 text; save it as UTF-8");
  EXPECT_EQ(error_of("\xff\xfe"), "read a.yaml: not UTF-8 text; save it as UTF-8");
}

TEST(ConfigDocument, DepthIsBounded) {
  std::string fits = "a: ", deep = "a: ";
  for (std::size_t i = 1; i < kDeepestConfig; ++i)
    fits += '[';
  fits += std::string(kDeepestConfig - 1, ']');
  EXPECT_EQ(error_of(fits), "");
  EXPECT_EQ(error_of("a: " + std::string(kDeepestConfig, '[') + std::string(kDeepestConfig, ']')),
            "read a.yaml line 1: nested deeper than 32 levels");
  EXPECT_NE(error_of(deep + std::string(500'000, '[')), "");
}

TEST(ConfigDocument, SizeIsBounded) {
  EXPECT_EQ(error_of("a: " + std::string(kLongestConfigFile - 3, 'x')), "");
  EXPECT_EQ(error_of("a: " + std::string(kLongestConfigFile - 2, 'x')),
            "read a.yaml: longer than 1.0 MiB");
}

TEST(ConfigDocument, ABombOfAliasesIsRefused) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    const std::string last = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + last;
    for (int j = 0; j < 8; ++j)
      bomb += ", " + last;
    bomb += "]\n";
  }
  EXPECT_EQ(error_of(bomb),
            "read a.yaml line 2: aliases (*name) are not supported; write the value out");
}

TEST(ConfigDocument, HostileTextIsHarmlessInErrors) {
  const auto document = ConfigDocument::parse("\"\\e[31m\": 1\n\"\\e[31m\": 2\n", "\x1b[31m.yaml");
  ASSERT_FALSE(document);
  EXPECT_EQ(document.error().message().find('\x1b'), std::string::npos);
}

TEST(ConfigDocument, ReadsFilesAndSaysWhyNot) {
  const std::string path = testing::TempDir() + "config_document_test.yaml";
  std::ofstream(path) << "a: 1\n";
  EXPECT_TRUE(ConfigDocument::read(path));
  std::remove(path.c_str());
  const auto missing = ConfigDocument::read(path);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorKind::not_found);
}

}  // namespace
}  // namespace beaconry
