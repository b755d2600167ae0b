#include "fleet/selector.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace beaconry {
namespace {

const Labels kOulu = {{"site", "oulu"}, {"role", "plant"}};

TEST(Selector, HoldsWhereAllItsTermsDo) {
  struct Case {
    const char* text;
    bool holds;
  };
  for (const Case& each : {Case{"site=oulu", true}, Case{"site=oulu,role!=lab", true},
                           Case{"site=oulu, role = lab", false}, Case{"site!=oulu", false},
                           Case{"site", true}, Case{"!site", false}, Case{"!rack,site", true},
                           Case{"rack", false}, Case{"rack!=7", true}}) {
    const auto selector = Selector::parse(each.text);
    ASSERT_TRUE(selector) << selector.error().message();
    EXPECT_EQ(selector->matches(kOulu), each.holds) << each.text;
  }
}

TEST(Selector, RefusesWhatWouldMeanSomethingElseThanWritten) {
  for (const char* text : {"", "  ", "site=", "=oulu", "site==oulu", "site=oulu,", "a b", "!a=b",
                           "site=o\x1b[0m", "!!a", "site=oulu;role=lab"}) {
    EXPECT_FALSE(Selector::parse(text)) << text;
  }
  EXPECT_FALSE(Selector::parse(std::string(5000, 'a')));
  const auto wrong = Selector::parse("site=oulu,ro le");
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().message().find("'ro le'"), std::string::npos) << wrong.error().message();
}

RC_GTEST_PROP(Selector, ReadsWhatItWrites, (const std::string& text)) {
  const auto selector = Selector::parse(text);
  if (!selector) return;
  const auto again = Selector::parse(selector->to_string());
  RC_ASSERT(again.has_value());
  RC_ASSERT(again->to_string() == selector->to_string());
}

TEST(Labels, AreBoundedWords) {
  EXPECT_TRUE(check_labels(kOulu));
  EXPECT_FALSE(check_labels({{"site", ""}}));
  EXPECT_FALSE(check_labels({{"si=te", "a"}}));
  EXPECT_FALSE(check_labels({{std::string(64, 'a'), "a"}}));
}

}  // namespace
}  // namespace beaconry
