#include "config/schema.h"

#include <gtest/gtest.h>

#include "config/test_schema.h"

namespace beaconry {
namespace {

const ConfigSchema kSchema{kTestKeys};

TEST(ConfigSchema, FindsKeysAndSections) {
  EXPECT_EQ(kSchema.find("net.port"), &kTestKeys[1]);
  EXPECT_EQ(kSchema.find("net"), nullptr);
  EXPECT_EQ(kSchema.find("port"), nullptr);
  EXPECT_TRUE(kSchema.is_section("net"));
  EXPECT_TRUE(kSchema.is_section("rules.deep"));
  EXPECT_TRUE(kSchema.is_section("rules.list[]"));
  EXPECT_FALSE(kSchema.is_section("ne"));
  EXPECT_FALSE(kSchema.is_section("net.port"));
}

struct Case {
  const char *section, *word, *suggestion;
};

TEST(ConfigSchema, SuggestsWhatWasProbablyMeant) {
  for (const Case& c : {
           Case{"net", "prot", "; did you mean 'port'?"},
           Case{"", "nets", "; did you mean 'net'?"},
           Case{"", "port", "; it belongs under 'net'"},
           Case{"rules", "enabled", "; it belongs under 'net'"},
           Case{"rules", "unheard_of", "; known here: deep, list"},
           Case{"rules.list[]", "lable", "; did you mean 'label'?"},
       }) {
    EXPECT_EQ(kSchema.suggestion(c.section, c.word), c.suggestion) << c.section << ' ' << c.word;
  }
}

TEST(ConfigSchema, SaysWhatAKeyTakes) {
  EXPECT_EQ(expectation(kTestKeys[0]), "true or false");
  EXPECT_EQ(expectation(kTestKeys[1]), "a whole number from 1 to 65535");
  EXPECT_EQ(expectation(kTestKeys[2]), "a number from 0 to 1");
  EXPECT_EQ(expectation(kTestKeys[3]), "seconds or a length of time such as 5m, from 1s to 1d");
}

TEST(ConfigSchema, DocumentsEveryKey) {
  const std::string table = kSchema.to_markdown();
  for (const ConfigKey& key : kTestKeys) {
    EXPECT_NE(table.find("| `" + std::string(key.path) + "` |"), std::string::npos) << key.path;
  }
  EXPECT_NE(table.find("| `net.port` | whole number | `9090` | from 1 to 65535 | Which port. |\n"),
            std::string::npos)
      << table;
  EXPECT_NE(table.find("| `other.colour` | text | | | The same as `other.color`. |\n"),
            std::string::npos)
      << table;
}

}  // namespace
}  // namespace beaconry
