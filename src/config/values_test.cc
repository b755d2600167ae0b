#include "config/values.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "config/test_schema.h"

namespace beaconry {
namespace {

const ConfigSchema kSchema{kTestKeys};

Result<ConfigValues> read(const std::string& text) {
  const auto document = ConfigDocument::parse(text, "a.yaml");
  if (!document) return tl::unexpected<Error>(document.error());
  return ConfigValues::read(kSchema, *document);
}

std::string error_of(const std::string& text) {
  const auto values = read(text);
  return values ? "" : values.error().message();
}

TEST(ConfigValues, WithoutADocumentEverythingIsAtItsDefault) {
  const ConfigValues values(kSchema);
  EXPECT_TRUE(values.boolean("net.enabled"));
  EXPECT_EQ(values.count("net.port"), 9090U);
  EXPECT_EQ(values.number("net.share"), 0.5);
  EXPECT_EQ(values.seconds("net.wait"), 300);
  EXPECT_FALSE(values.count("net.limit"));
  EXPECT_FALSE(values.text("net.name"));
  EXPECT_EQ(values.texts("net.hosts"), nullptr);
  EXPECT_EQ(values.records("rules.list"), nullptr);
  EXPECT_EQ(values.origin("net.port").to_string(), "default");
}

TEST(ConfigValues, AFileSetsValuesAndEachKnowsItsLine) {
  const auto good = read(
      "net: {enabled: No, port: 80, share: 1e-1, wait: 2m, limit: 7, name: 0123}\n"
      "rules:\n"
      "  list: [{port: 123, label: NTP}, {port: 161}]\n"
      "  deep:\n"
      "    level: -0.0\n"
      "other: {space: 2K, colour: GREEN, key: abc, tags: {X-A: b, c d: '1'}}\n");
  ASSERT_TRUE(good) << good.error().message();
  EXPECT_FALSE(good->boolean("net.enabled"));
  EXPECT_EQ(good->count("net.port"), 80U);
  EXPECT_EQ(good->number("net.share"), 0.1);
  EXPECT_EQ(good->duration("net.wait"), std::chrono::minutes{2});
  EXPECT_EQ(good->count("net.limit"), 7U);
  EXPECT_EQ(good->text("net.name"), "0123");
  EXPECT_EQ(good->origin("rules.deep.level").to_string(), "a.yaml line 5");
  ASSERT_NE(good->records("rules.list"), nullptr);
  const ConfigRecords& rules = *good->records("rules.list");
  ASSERT_EQ(rules.size(), 2U);
  EXPECT_EQ(rules[0].count("rules.list[].port"), 123U);
  EXPECT_EQ(rules[0].text("rules.list[].label"), "NTP");
  EXPECT_EQ(rules[1].text("rules.list[].label"), "none");
  EXPECT_EQ(good->size("other.space"), 2048U);
  EXPECT_EQ(good->text("other.color"), "green");
  ASSERT_NE(good->entries("other.tags"), nullptr);
  EXPECT_EQ((*good->entries("other.tags"))[1].name, "c d");
  EXPECT_EQ((*good->entries("other.tags"))[1].text, "1");
}

TEST(ConfigValues, ListsKeepTheLineOfEachItem) {
  const auto values = read("net:\n  hosts:\n    - 10.0.0.1\n    - 53\n");
  ASSERT_TRUE(values);
  const auto* hosts = values->texts("net.hosts");
  ASSERT_NE(hosts, nullptr);
  ASSERT_EQ(hosts->size(), 2U);
  EXPECT_EQ((*hosts)[1].text, "53");
  EXPECT_EQ((*hosts)[1].origin.to_string(), "a.yaml line 4");
}

TEST(ConfigValues, AKeyWithoutAValueKeepsItsDefault) {
  const auto values = read("net:\n  port:\n  hosts: ~\nrules:\nother: {color: ''}\n");
  ASSERT_TRUE(values) << values.error().message();
  EXPECT_EQ(values->count("net.port"), 9090U);
  EXPECT_EQ(values->origin("net.port").to_string(), "default");
  EXPECT_EQ(values->texts("net.hosts"), nullptr);
  EXPECT_EQ(values->text("other.color"), "red");
}

TEST(ConfigValues, TwoSpellingsOfOneKeyMustAgree) {
  EXPECT_EQ(error_of("other: {color: green, colour: Green}\n"), "");
  EXPECT_EQ(error_of("other:\n  color: green\n  colour: red\n"),
            "read a.yaml line 3: 'other.colour' says otherwise than other.color (a.yaml line 2); "
            "keep one of them");
}

TEST(ConfigValues, EveryErrorIsGathered) {
  const auto document =
      ConfigDocument::parse("net: {prot: 1, port: x}\nrules: {list: [{port: -1}, {}]}\n", "a.yaml");
  ASSERT_TRUE(document);
  std::vector<Error> all;
  ASSERT_FALSE(ConfigValues::read(kSchema, *document, &all));
  ASSERT_EQ(all.size(), 4U);
  EXPECT_NE(all[0].message().find("'prot'"), std::string::npos);
  EXPECT_NE(all[1].message().find("'net.port'"), std::string::npos);
  EXPECT_NE(all[2].message().find("'rules.list[].port'"), std::string::npos);
  EXPECT_NE(all[3].message().find("lacks 'port'"), std::string::npos);
}

const Origin kApi{Origin::From::api, "version 2 by anna"};

TEST(ConfigValues, AnOverlayTakesThePlaceOfWhatItNames) {
  ConfigValues values = *read("net: {port: 80, share: 0.1, hosts: [a]}\n");
  const auto over =
      ConfigDocument::parse(R"({"net": {"port": 81, "share": null, "hosts": []}})", "the request");
  ASSERT_TRUE(over) << over.error().message();
  const auto named = values.overlay(*over, kApi);
  ASSERT_TRUE(named) << named.error().message();
  EXPECT_EQ(*named, (std::vector<std::string_view>{"net.port", "net.share", "net.hosts"}));
  EXPECT_EQ(values.count("net.port"), 81U);
  EXPECT_EQ(values.number("net.share"), 0.5);
  EXPECT_TRUE(values.texts("net.hosts")->empty());
  EXPECT_EQ(values.origin("net.port").to_string(), "API version 2 by anna");
}

TEST(ConfigValues, AnOverlayThatIsRefusedChangesNothing) {
  ConfigValues values = *read("net: {port: 80}\n");
  const auto over = ConfigDocument::parse(R"({"net": {"port": 81, "share": 7}})", "the request");
  ASSERT_TRUE(over);
  const auto named = values.overlay(*over, kApi);
  ASSERT_FALSE(named);
  EXPECT_EQ(named.error().message(),
            "read the request line 1: 'net.share' must be a number from 0 to 1, is '7'");
  EXPECT_EQ(values.count("net.port"), 80U);
}

TEST(ConfigValues, AsJsonEveryValueCanBeReadAgain) {
  const auto values = read(
      "net: {port: 80, wait: 1.5, hosts: [a, 'b\"c'], enabled: off}\n"
      "rules: {list: [{port: 1}, {port: 2, label: x}]}\nother: {tags: {X: y}}\n");
  ASSERT_TRUE(values);
  EXPECT_EQ(values->to_json("net.port"), "80");
  EXPECT_EQ(values->to_json("net.wait"), "1.5");
  EXPECT_EQ(values->to_json("net.hosts"), R"(["a","b\"c"])");
  EXPECT_EQ(values->to_json("net.enabled"), "false");
  EXPECT_EQ(values->to_json("net.limit"), "null");
  EXPECT_EQ(values->to_json("rules.list"), R"([{"port":1,"label":"none"},{"port":2,"label":"x"}])");
  for (const ConfigKey& key : kTestKeys) {
    if (key.path.find("[]") != std::string_view::npos) continue;
    const auto dot = key.path.rfind('.');
    const std::string json = values->to_json(key.path, true);
    std::string text = "{\"" + std::string(key.path.substr(dot + 1)) + "\": " + json + "}";
    std::string section(key.path.substr(0, dot));
    if (const auto inner = section.find('.'); inner != section.npos) {
      text = "{\"" + section.substr(inner + 1) + "\": " + text + "}";
      section.resize(inner);
    }
    ConfigValues fresh(kSchema);
    const auto document = ConfigDocument::parse("{\"" + section + "\": " + text + "}", "json");
    ASSERT_TRUE(document) << text;
    ASSERT_TRUE(fresh.overlay(*document, kApi)) << text;
    EXPECT_EQ(fresh.to_json(key.path, true), json) << key.path;
  }
}

TEST(ConfigValues, SecretsAreHiddenAndWhatStandsForThemKeepsThem) {
  ConfigValues values = *read("other: {key: abc, tags: {X: y, Z: w}}\n");
  EXPECT_EQ(values.to_json("other.key"), R"("********")");
  EXPECT_EQ(values.to_json("other.tags"), R"({"X":"********","Z":"********"})");
  const auto over = ConfigDocument::parse(
      R"({"other": {"key": "********", "tags": {"X": "********", "Z": "new"}}})", "the request");
  ASSERT_TRUE(values.overlay(*over, kApi));
  EXPECT_EQ(values.text("other.key"), "abc");
  EXPECT_EQ(values.to_json("other.tags", true), R"({"X":"y","Z":"new"})");
}

struct Case {
  const char *text, *message;
};

TEST(ConfigValues, RefusesWithFileLineAndRemedy) {
  for (const Case& c : {
           Case{"net:\n  prot: 1\n",
                "read a.yaml line 2: unknown key 'prot' in 'net'; did you mean 'port'?"},
           Case{"port: 1\n", "read a.yaml line 1: unknown key 'port'; it belongs under 'net'"},
           Case{"net.port: 1\n",
                "read a.yaml line 1: unknown key 'net.port'; known here: net, rules, other"},
           Case{"net: 5\n",
                "read a.yaml line 1: 'net' must be a section with keys below it, is '5'"},
           Case{"net:\n  port: http\n",
                "read a.yaml line 2: 'net.port' must be a whole number from 1 to 65535, is 'http'"},
           Case{"net:\n  port: 0\n",
                "read a.yaml line 2: 'net.port' must be a whole number from 1 to 65535, is '0'"},
           Case{"net:\n  port: 80.5\n",
                "read a.yaml line 2: 'net.port' must be a whole number from 1 to 65535, is '80.5'"},
           Case{"net:\n  port: [80]\n",
                "read a.yaml line 2: 'net.port' must be a whole number from 1 to 65535, is a list"},
           Case{"net:\n  share: 1.01\n",
                "read a.yaml line 2: 'net.share' must be a number from 0 to 1, is '1.01'"},
           Case{"net:\n  share: .nan\n",
                "read a.yaml line 2: 'net.share' must be a number from 0 to 1, is '.nan'"},
           Case{"net:\n  wait: soon\n",
                "read a.yaml line 2: 'net.wait' must be seconds or a length of time such as 5m, "
                "from 1s to 1d, is 'soon'"},
           Case{"net:\n  wait: 2d\n",
                "read a.yaml line 2: 'net.wait' must be seconds or a length of time such as 5m, "
                "from 1s to 1d, is '2d'"},
           Case{"other:\n  space: 2G\n",
                "read a.yaml line 2: 'other.space' must be bytes or a size such as 64M, from 1K to "
                "1G, is '2G'"},
           Case{"other:\n  color: blue\n",
                "read a.yaml line 2: 'other.color' must be one of red, green, is 'blue'"},
           Case{"other:\n  tags: [a]\n",
                "read a.yaml line 2: 'other.tags' must be a map such as {name: value}, is a list"},
           Case{"other:\n  tags:\n    a: [b]\n",
                "read a.yaml line 3: 'a' in 'other.tags' must be one word or text, is a list"},
           Case{"net:\n  enabled: maybe\n",
                "read a.yaml line 2: 'net.enabled' must be true or false, is 'maybe'"},
           Case{"net:\n  hosts: a\n",
                "read a.yaml line 2: 'net.hosts' must be a list such as [a, b], is 'a'"},
           Case{"net:\n  hosts:\n  - a\n  - {b: 1}\n",
                "read a.yaml line 4: an item of 'net.hosts' must be one word, is a map"},
           Case{"rules:\n  list:\n  - 5\n",
                "read a.yaml line 3: an item of 'rules.list' must be a map of keys, is '5'"},
           Case{"rules:\n  list:\n  - port: 1\n  - label: x\n",
                "read a.yaml line 4: an item of 'rules.list' lacks 'port'"},
           Case{"rules:\n  list:\n  - prt: 1\n",
                "read a.yaml line 3: unknown key 'prt' in 'rules.list[]'; did you mean 'port'?"},
           Case{"rules:\n  list[]: 1\n",
                "read a.yaml line 2: unknown key 'list[]' in 'rules'; did you mean 'list'?"},
       }) {
    EXPECT_EQ(error_of(c.text), c.message);
  }
}

TEST(ConfigValues, AValueShownInAnErrorIsShortAndHarmless) {
  const std::string error = error_of("net: {port: \"\\e]0;" + std::string(10'000, 'x') + "\"}\n");
  EXPECT_LT(error.size(), 200U);
  EXPECT_EQ(error.find('\x1b'), std::string::npos);
}

TEST(ConfigValues, TheNumberOfRecordsIsBounded) {
  std::string text = "rules:\n  list: [";
  for (int i = 0; i < 1001; ++i)
    text += "{port: 1},";
  EXPECT_EQ(error_of(text + "]\n"),
            "read a.yaml line 2: 'rules.list' may have 1000 items, has 1001");
}

TEST(ConfigValues, TheCommandLineOverridesAndIsNamed) {
  ConfigValues values = *read("net: {wait: 60}\n");
  ASSERT_TRUE(values.set("net.wait", "2h", "--wait"));
  EXPECT_EQ(values.seconds("net.wait"), 7200);
  EXPECT_EQ(values.origin("net.wait").to_string(), "command line --wait");
  const auto refused = values.set("net.share", "2", "--share");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message(),
            "use --share: 'net.share' must be a number from 0 to 1, is '2'");
  EXPECT_EQ(values.number("net.share"), 0.5);
}

TEST(ConfigValues, AskingForWhatTheSchemaLacksIsAProgrammingError) {
  ConfigValues values(kSchema);
  EXPECT_THROW(values.count("net.unheard_of"), std::logic_error);
  EXPECT_THROW(values.count("net.share"), std::logic_error);
  EXPECT_THROW((void)values.set("net.hosts", "x", "--hosts"), std::logic_error);
}

}  // namespace
}  // namespace beaconry
