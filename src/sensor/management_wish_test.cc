#include "sensor/management_wish.h"

#include <gtest/gtest.h>

#include "sensor/desired_state.h"

namespace beaconry {
namespace {

std::string document(const std::string& management) {
  return R"({"instances": {}, "management": )" + management + "}";
}

std::string error_of(const std::string& management) {
  const auto state = DesiredState::parse(document(management));
  return state ? "" : state.error().message();
}

TEST(ManagementWish, GoesThereAndBack) {
  const auto state = DesiredState::parse(document(
      R"({"interface": "eth0", "address": ["10.0.0.5/24", "2001:db8::5/64"],
          "gateway": ["10.0.0.1", "fe80::1"], "resolvers": ["10.0.0.1"], "mtu": 1400, "vlan": 5,
          "confirm_within": 30})"));
  ASSERT_TRUE(state) << state.error().message();
  ASSERT_TRUE(state->management);
  EXPECT_EQ(state->management->device(), "eth0.5");
  EXPECT_FALSE(state->management->uses_dhcp());
  EXPECT_EQ(state->management->confirm_within, 30U);
  const auto again = DesiredState::parse(state->to_json());
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(again->management, state->management);
}

TEST(ManagementWish, IsNoneWhereNothingIsSaid) {
  EXPECT_FALSE(DesiredState::parse(R"({"instances": {}})")->management);
  EXPECT_FALSE(DesiredState::parse(document("null"))->management);
  EXPECT_EQ(DesiredState{}.to_json().find("management"), std::string::npos);
}

TEST(ManagementWish, MayBeByDhcpBesideAnAddressOfIpv6) {
  const auto state = DesiredState::parse(
      document(R"({"interface": "eth0", "address": ["dhcp", "2001:db8::5/64"]})"));
  ASSERT_TRUE(state) << state.error().message();
  EXPECT_TRUE(state->management->uses_dhcp());
  EXPECT_EQ(state->management->confirm_within, 120U);
}

TEST(ManagementWish, IsTheSameNetworkWhateverItsTrialTakes) {
  ManagementWish one, other;
  one.interface = other.interface = "eth0";
  other.confirm_within = 30;
  EXPECT_TRUE(one.is_same_network(other));
  other.vlan = 5;
  EXPECT_FALSE(one.is_same_network(other));
}

TEST(ManagementWish, ErrorsNameThePlace) {
  struct Case {
    const char *json, *words;
  };
  const Case cases[] = {
      {"[]", "/management"},
      {R"({"address": "dhcp"})", "/management/interface: is missing"},
      {R"({"interface": "eth0"})", "/management/address: is missing"},
      {R"({"interface": "lo", "address": "dhcp"})", "/management/interface: is none that leads"},
      {R"({"interface": "a/b", "address": "dhcp"})", "/management/interface"},
      {R"({"interface": "eth0", "adress": "dhcp"})", "did you mean 'address'"},
      {R"({"interface": "eth0", "address": "10.0.0.5"})", "with its prefix"},
      {R"({"interface": "eth0", "address": "224.0.0.5/4"})", "/management/address"},
      {R"({"interface": "eth0", "address": ["dhcp", "10.0.0.5/24"]})", "and another"},
      {R"({"interface": "eth0", "address": ["dhcp", "dhcp"]})", "twice"},
      {R"({"interface": "eth0", "address": "10.0.0.5/24", "gateway": "x"})", "/management/gateway"},
      {R"({"interface": "eth0", "address": "10.0.0.5/24", "gateway": "fe80::1"})", "none of IPv6"},
      {R"({"interface": "eth0", "address": "10.0.0.5/24", "gateway": ["10.0.0.1", "10.0.0.2"]})",
       "two of one family"},
      {R"({"interface": "eth0", "address": "dhcp", "resolvers": ["x"]})", "/management/resolvers"},
      {R"({"interface": "eth0", "address": "dhcp", "mtu": 500})", "/management/mtu"},
      {R"({"interface": "eth0", "address": "dhcp", "vlan": 4095})", "/management/vlan"},
      {R"({"interface": "enp0s31f6abcdef", "address": "dhcp", "vlan": 5})", "too long"},
      {R"({"interface": "eth0", "address": "dhcp", "confirm_within": 1})", "from 10 to 3600"},
  };
  for (const Case& one : cases)
    EXPECT_NE(error_of(one.json).find(one.words), std::string::npos)
        << one.json << ": " << error_of(one.json);
}

}  // namespace
}  // namespace beaconry
