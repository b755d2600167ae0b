#include "sensor/rollback.h"

#include <gtest/gtest.h>

namespace beaconry {
namespace {

TEST(Rollback, ChangesNothingThatAFileDefinesAndNamesWhatGoes) {
  const Json now = Json::parse(R"({"instances": {
    "a_0": {"image": "2", "source": "/etc/a.yaml"},
    "b_0": {"image": "2", "source": ""},
    "c_0": {"image": "2", "source": "/etc/c.yaml"}}})");
  const Json then = Json::parse(R"({"instances": {
    "a_0": {"image": "1", "source": "/etc/a.yaml"},
    "d_0": {"image": "1", "source": "/etc/gone.yaml"}}})");
  const Json after = rolled_back(now, then);
  EXPECT_EQ(after, Json::parse(R"({"instances": {
    "a_0": {"image": "2", "source": "/etc/a.yaml"},
    "d_0": {"image": "1", "source": ""},
    "c_0": {"image": "2", "source": "/etc/c.yaml"}}})"));
  EXPECT_EQ(instances_that_go(now, after), std::vector<std::string>{"b_0"});
  EXPECT_TRUE(instances_that_go(now, now).empty());
}

TEST(RolledBack, ANetworkOfTheServersIsThatOfNow) {
  const Json old = Json::parse(R"({"instances": {}, "management": {"interface": "eth0"},
                                   "management_source": "fleet"})");
  Json now = old;
  now["management"]["interface"] = "eth1";
  EXPECT_EQ(rolled_back(now, old), now);
  EXPECT_FALSE(rolled_back(Json{{"instances", Json::object()}}, old).contains("management"));
  Json ours = old;
  ours.erase("management_source");
  EXPECT_EQ(rolled_back(now, ours), ours);
}

}  // namespace
}  // namespace beaconry
