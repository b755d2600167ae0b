#include "packet/mac_address.h"

#include <gtest/gtest.h>

namespace beaconry {
namespace {

TEST(MacAddress, ReadsWhatItWrites) {
  const auto mac = MacAddress::parse("02:00:5e:10:FF:0a");
  ASSERT_TRUE(mac);
  EXPECT_EQ(mac->to_string(), "02:00:5e:10:ff:0a");
  EXPECT_EQ(MacAddress::parse("02-00-5e-10-ff-0a"), mac);
}

TEST(MacAddress, RefusesWhatIsNone) {
  for (const char* text :
       {"", "02:00:5e:10:00", "02:00:5e:10:00:0g", "02:00:5e-10:00:01",
        "02:00:5e:10:00:01:", "0200.5e10.0001...", "2:0:5e:10:0:1", "02 00 5e 10 00 01"}) {
    EXPECT_FALSE(MacAddress::parse(text)) << text;
  }
}

TEST(MacAddress, KnowsGroups) {
  EXPECT_TRUE(MacAddress::broadcast().is_broadcast());
  EXPECT_TRUE(MacAddress::broadcast().is_group());
  EXPECT_TRUE(MacAddress::parse("33:33:00:00:00:01")->is_group());
  EXPECT_FALSE(MacAddress::parse("33:33:00:00:00:01")->is_broadcast());
  EXPECT_FALSE(MacAddress::parse("02:00:00:00:00:01")->is_group());
}

}  // namespace
}  // namespace beaconry
