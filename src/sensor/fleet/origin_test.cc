#include "sensor/fleet/origin.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace beaconry {
namespace {

TEST(Origin, NamesWhoSaysEachValue) {
  const std::string desired = R"({"instances": {
      "a_0": {"image": "x", "config": {"every": 1, "a/b": {}}, "source": "fleet"},
      "b_0": {"image": "y", "config": {"deep": [1]}, "source": "/etc/b.yaml"},
      "c_0": {"image": "z", "source": ""}}})";
  const std::string layers = R"({"/instances/a_0/image": "fleet",
      "/instances/a_0/config/a~1b": "group:ot", "/instances/b_0/image": "group:ot"})";
  const auto origin = nlohmann::json::parse(origin_json(desired, layers));
  const auto expected = nlohmann::json::parse(R"({
      "/instances/a_0/image": "fleet", "/instances/a_0/config/every": "default",
      "/instances/a_0/config/a~1b": "group:ot", "/instances/b_0/image": "/etc/b.yaml",
      "/instances/b_0/config/deep": "/etc/b.yaml", "/instances/c_0/image": "command"})");
  EXPECT_EQ(origin, expected);
}

TEST(Origin, OfTheNetworkIsWhoSetIt) {
  const std::string layers = R"({"/management/interface": "group:ot"})";
  const std::string mine = R"({"management": {"interface": "eth0"})";
  EXPECT_EQ(origin_json(mine + "}", layers), R"({"/management/interface":"command"})");
  EXPECT_EQ(origin_json(mine + R"(, "management_source": "fleet"})", layers),
            R"({"/management/interface":"group:ot"})");
}

TEST(Origin, OfNothingIsEmpty) {
  EXPECT_EQ(origin_json("", ""), "{}");
  EXPECT_EQ(origin_json(R"({"instances": {}})", "[]"), "{}");
}

}  // namespace
}  // namespace beaconry
