#include "fleet/document_instances.h"

#include <gtest/gtest.h>

namespace beaconry {
namespace {

TEST(DocumentInstances, AreThoseThatTheDocumentHasWithTheirImages) {
  const auto all = instances_in(R"({"instances":{"beacon_1":{"running":false},"beacon_2":null,
      "beacon_0":{"image":"aa","config":{"image":"bb"}}}})");
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].name, "beacon_0");
  EXPECT_TRUE(all[0].running);
  EXPECT_EQ(all[1].image, "");
  EXPECT_FALSE(all[1].running);
  EXPECT_TRUE(names_image(all, "aa"));
  EXPECT_FALSE(names_image(all, "bb"));  // that is the instrument's own word
}

TEST(DocumentInstances, AreNoneOfWhatIsNoDocument) {
  for (const char* text : {"", "[]", "{}", R"({"instances":5})", R"({"instances":{"a_0":5}})"})
    EXPECT_TRUE(instances_in(text).empty()) << text;
}

}  // namespace
}  // namespace beaconry
