#include "sensor/fleet/fleet_wish.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace beaconry {
namespace {

using testing::HasSubstr;

const std::string kImage(64, 'a'), kOther(64, 'b');

std::string document(const std::string& instances, const std::string& rest = "") {
  return R"({"instances": {)" + instances + "}" + rest + "}";
}
std::string instance(const std::string& name, const std::string& image,
                     const std::string& rest = "") {
  return '"' + name + R"(": {"image": ")" + image + '"' + rest + '}';
}
FleetWish read(const std::string& json, bool allow_unsigned = false) {
  auto fleet = read_fleet_wish(json, allow_unsigned);
  EXPECT_TRUE(fleet) << fleet.error().message();
  return std::move(*fleet);
}

struct Merged {
  DesiredState state;
  std::map<std::string, FleetFault> faults;
  std::vector<std::string> problems;
};
// Configurations that have "bad" in them fit nothing, and neither do two interfaces.
Result<void> check(const InstanceWish& wish) {
  if (wish.config_json.find("bad") != std::string::npos)
    return fail(ErrorKind::malformed, "take", wish.name, "/bad: is no key");
  if (wish.interfaces.size() > 1) return fail(ErrorKind::malformed, "take", wish.name, "too many");
  return {};
}
Merged merge(const DesiredState& before, const FleetWish& fleet) {
  Merged out;
  out.state = merge_fleet(before, before, fleet, check, out.faults, out.problems);
  return out;
}

TEST(FleetWish, ReadsInstancesAsTheServers) {
  const auto fleet = read(document(
      instance("beacon_0", kImage, R"(, "config": {"every": 5}, "restarts": 3, "source": "x")")));
  const InstanceWish& wish = fleet.instances.at("beacon_0");
  EXPECT_EQ(wish.image, kImage);
  EXPECT_EQ(wish.config_json, R"({"every":5})");
  EXPECT_EQ(wish.restarts, 3U);
  EXPECT_EQ(wish.source, kFleetSource);
  EXPECT_TRUE(fleet.problems.empty());
}

TEST(FleetWish, WhatIsWrongInOneInstanceKeepsNoOtherAndIsNamed) {
  const auto fleet = read(document(
      instance("beacon_0", kImage) + ',' + instance("beacon_1", kImage, R"(, "runing": true)") +
      ',' + instance("beacon_2", "../../etc/passwd") + ',' + instance("../x", kImage) + ',' +
      instance("beacon_3", kImage, R"(, "config": 7)") + R"(, "beacon_4": 7)"));
  EXPECT_EQ(fleet.instances.size(), 1U);
  ASSERT_EQ(fleet.faults.size(), 5U);
  EXPECT_THAT(fleet.faults.at("beacon_1").reason, HasSubstr("/instances/beacon_1/runing"));
  EXPECT_THAT(fleet.faults.at("beacon_2").reason, HasSubstr("no SHA-256"));
  EXPECT_TRUE(fleet.faults.at("beacon_3").of_config);
  EXPECT_FALSE(fleet.faults.at("beacon_1").of_config);
}

TEST(FleetWish, AServerCannotAllowUnsignedCode) {
  const std::string json = document(instance("beacon_0", kImage, R"(, "allow_unsigned": true)"));
  const auto fleet = read(json);
  EXPECT_FALSE(fleet.instances.at("beacon_0").allow_unsigned);
  ASSERT_EQ(fleet.problems.size(), 1U);
  EXPECT_THAT(fleet.problems[0], HasSubstr("sensor.fleet.allow_unsigned"));
  EXPECT_TRUE(read(json, true).instances.at("beacon_0").allow_unsigned);
}

TEST(FleetWish, IsNoneWhereTheDocumentIsNone) {
  for (const char* text : {"", "[]", "7", R"({"instances": []})", R"({"instances": )"})
    EXPECT_FALSE(read_fleet_wish(text, false)) << text;
  EXPECT_TRUE(read("{}").instances.empty());
  EXPECT_EQ(read(document("", R"(, "weather": 1)")).problems.size(), 1U);
}

TEST(FleetWish, TakesTheMachinesNetworkAndNamesWhatIsWrongInIt) {
  const auto fleet =
      read(document("", R"(, "management": {"interface": "eth0", "address": "dhcp"})"));
  ASSERT_TRUE(fleet.management);
  EXPECT_EQ(fleet.management->interface, "eth0");
  const auto bad = read(document(instance("beacon_0", kImage), R"(, "management": {"x": 1})"));
  EXPECT_FALSE(bad.management);
  EXPECT_TRUE(bad.management_unread);
  EXPECT_EQ(bad.problems.size(), 1U);
  EXPECT_EQ(bad.instances.size(), 1U);
}

TEST(FleetMerge, WhatIsMadeHereHoldsAgainstTheServerAndIsTold) {
  DesiredState before;
  for (const auto& [name, source] : std::map<std::string, std::string>{
           {"beacon_0", ""}, {"beacon_1", "/etc/x.yaml"}, {"beacon_2", "fleet"}}) {
    before.instances[name].name = name;
    before.instances[name].image = kOther;
    before.instances[name].source = source;
  }
  const auto merged = merge(
      before, read(document(instance("beacon_0", kImage) + ',' + instance("beacon_1", kImage) +
                            ',' + instance("beacon_3", kImage))));
  EXPECT_EQ(merged.state.instances.at("beacon_0").image, kOther);
  EXPECT_EQ(merged.state.instances.at("beacon_1").image, kOther);
  EXPECT_EQ(merged.state.instances.count("beacon_2"), 0U);  // the server wishes it no more
  EXPECT_EQ(merged.state.instances.at("beacon_3").image, kImage);
  ASSERT_EQ(merged.problems.size(), 2U);
  EXPECT_THAT(merged.problems[0], HasSubstr("beaconry instrument remove beacon_0"));
  EXPECT_THAT(merged.problems[1], HasSubstr("/etc/x.yaml"));
}

TEST(FleetMerge, WhatDoesNotFitStaysAsItWasAndTheRestHolds) {
  DesiredState state =
      merge({}, read(document(instance("beacon_0", kImage, R"(, "config": {"every": 1})")))).state;
  const auto merged = merge(
      state,
      read(document(instance("beacon_0", kImage, R"(, "config": {"bad": 1}, "running": false)") +
                    ',' + instance("beacon_1", kImage))));
  const InstanceWish& wish = merged.state.instances.at("beacon_0");
  EXPECT_EQ(wish.config_json, R"({"every":1})");
  EXPECT_FALSE(wish.running);
  ASSERT_EQ(merged.faults.count("beacon_0"), 1U);
  EXPECT_TRUE(merged.faults.at("beacon_0").of_config);
  EXPECT_EQ(merged.state.instances.count("beacon_1"), 1U);
  // Said again, as after a restart, it is the same.
  const auto again = merge(
      merged.state, read(document(instance("beacon_0", kImage, R"(, "config": {"bad": 1})"))));
  EXPECT_EQ(again.state.instances.at("beacon_0").config_json, R"({"every":1})");
  EXPECT_EQ(again.faults.size(), 1U);
}

TEST(FleetMerge, AnInstanceThatCannotBeReadStaysAsItWas) {
  const DesiredState state = merge({}, read(document(instance("beacon_0", kImage)))).state;
  const auto merged =
      merge(state, read(document(instance("beacon_0", kOther, R"(, "newer_key": 1)"))));
  EXPECT_EQ(merged.state.instances.at("beacon_0").image, kImage);
  EXPECT_EQ(merged.faults.count("beacon_0"), 1U);
}

}  // namespace
}  // namespace beaconry
