// What is set, and stays.
#include "sensor/network/management.h"

#include <gmock/gmock.h>

#include "sensor/network/server_way.h"
#include "sensor/network/test_management.h"

namespace beaconry::test_machine {
namespace {

using testing::ElementsAre;
using testing::IsSupersetOf;
using State = ManagementReport::State;

TEST_F(ManagementNetwork, IsLeftAloneWhereNothingIsWished) {
  pass(std::nullopt, 1, 20);
  EXPECT_EQ(network(), before_);
  EXPECT_EQ(management_->report().state, State::none);
  EXPECT_FALSE(management_->health());
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/state/management.json"));
}

TEST_F(ManagementNetwork, IsChangedAndStaysOnceItIsConfirmed) {
  const auto wished = whole_wish();
  work(wished, 4);
  auto report = management_->report();
  EXPECT_EQ(report.state, State::trial);
  EXPECT_EQ(report.interface, "eth0");
  EXPECT_EQ(report.until, clock_ + std::chrono::seconds{30});
  EXPECT_THAT(report.addresses, ElementsAre("10.0.7.5/24", "2001:db8:7::5/64"));
  EXPECT_TRUE(shell("ip route get 192.0.2.1 | grep 'via 10.0.7.1 dev eth0'"));
  EXPECT_TRUE(shell("ip -6 route get 2001:db8:ff::1 | grep 'via 2001:db8:7::1 dev eth0'"));
  EXPECT_TRUE(shell("ip link show eth0 | grep 'mtu 1400'"));
  EXPECT_EQ(read_small_file(conf(), 4'096).value_or(""),
            "nameserver 10.0.7.53\nnameserver 2001:db8:7::53\nsearch example.org\n");
  EXPECT_EQ(management_->trial(), 4U);
  EXPECT_FALSE(management_->confirm(3, clock_));
  ASSERT_TRUE(management_->confirm(4, clock_));
  const std::string after = network();
  pass(wished, 4, 60);
  EXPECT_EQ(network(), after);
  report = management_->report();
  EXPECT_EQ(report.state, State::confirmed);
  EXPECT_FALSE(report.until);
  EXPECT_EQ(management_->health()->state, HealthState::healthy);
}

TEST_F(ManagementNetwork, IsSetAgainAfterARestartOfTheMachine) {
  work(whole_wish(), 4);
  ASSERT_TRUE(management_->confirm(4, clock_));
  const std::string after = network();
  management_.reset();
  ASSERT_TRUE(
      shell("ip addr flush dev eth0 && ip link set eth0 mtu 1500 && ip link set eth0 down"));
  restart();
  EXPECT_EQ(network(), after);
  EXPECT_EQ(management_->report().state, State::confirmed);
}

TEST_F(ManagementNetwork, IsPutBackWhenSomebodyElseTakesItAway) {
  const auto wished = whole_wish();
  work(wished, 4);
  ASSERT_TRUE(management_->confirm(4, clock_));
  const std::string after = network();
  ASSERT_TRUE(shell("ip addr del 10.0.7.5/24 dev eth0"));
  pass(wished, 4, 6);
  EXPECT_EQ(network(), after);
}

TEST_F(ManagementNetwork, IsPutBackWithItsRoutesAfterTheInterfaceWasDown) {
  auto wished = wish({"10.0.7.5/24"}, {"10.0.7.1"});
  wished.mtu = 1'400;
  work(wished, 4);
  ASSERT_TRUE(management_->confirm(4, clock_));
  const std::string after = network();
  for (const char* change :
       {"ip link set eth0 down && ip link set eth0 up", "ip link set eth0 down",
        "ip route del default dev eth0", "ip link set eth0 mtu 1500"}) {
    ASSERT_TRUE(shell(change));
    EXPECT_NE(network(), after) << change;
    pass(wished, 4, 6);
    EXPECT_EQ(network(), after) << change;
  }
}

TEST_F(ManagementNetwork, LeavesWhatWasConfirmedWhenItIsWishedForNoMore) {
  work(whole_wish(), 4);
  ASSERT_TRUE(management_->confirm(4, clock_));
  const std::string after = network();
  pass(std::nullopt, 5, 10);
  EXPECT_EQ(network(), after);
  restart();
  EXPECT_EQ(management_->report().state, State::none);
}

TEST_F(ManagementNetwork, MovesToAnotherInterfaceAndBack) {
  auto wished = wish({"10.1.0.7/24"}, {"10.1.0.1"});
  wished.interface = "eth1";
  work(wished, 4);
  // Of eth0 only the default route gives way.
  EXPECT_TRUE(shell("ip route get 192.0.2.1 | grep 'via 10.1.0.1 dev eth1'"));
  EXPECT_TRUE(shell("ip addr show dev eth0 | grep 10.0.0.2/24"));
  EXPECT_THAT(ServerWay("https://192.0.2.1:8443").interfaces(), ElementsAre("eth1"));
  pass(wished, 4, 31);
  EXPECT_EQ(network(), before_);
  EXPECT_THAT(ServerWay("https://192.0.2.1:8443").interfaces(), ElementsAre("eth0"));
}

TEST_F(ManagementNetwork, MayBeTagged) {
  if (!has_vlans()) GTEST_SKIP() << "this kernel has no VLANs";
  auto wished = wish({"10.0.7.5/24"}, {"10.0.7.1"});
  wished.vlan = 5;
  work(wished, 4);
  EXPECT_EQ(management_->report().interface, "eth0.5");
  EXPECT_THAT(management_->report().addresses, ElementsAre("10.0.7.5/24"));
  EXPECT_THAT(ServerWay("https://192.0.2.1:8443").interfaces(), ElementsAre("eth0", "eth0.5"));
  EXPECT_THAT(management_->interfaces(), IsSupersetOf({"eth0", "eth0.5"}));
  pass(wished, 4, 31);
  EXPECT_EQ(network(), before_);
}

TEST_F(ManagementNetwork, ComesByDhcpAndKeepsItsAddressOverARestart) {
  if (!shell("command -v dnsmasq") || find_dhcp_client("").empty())
    GTEST_SKIP() << "needs dnsmasq-base and busybox";
  // The server's end lies in a namespace of its own.
  const Container server;
  auto links = *Links::open();
  ASSERT_TRUE(links.move((*links.find("wire"))->index, server.space().descriptor(), "wire"));
  ASSERT_TRUE(server.within(
      [&] { return shell("ip link set wire up && ip addr add 10.0.8.1/24 dev wire"); }));
  ASSERT_TRUE(server.within([&] { return serve("wire"), true; }));
  auto wished = wish({"dhcp", "2001:db8:8::5/64"});
  work(wished, 4);
  const auto leased = [&] {
    const auto addresses = management_->report().addresses;
    return std::any_of(addresses.begin(), addresses.end(),
                       [](const std::string& one) { return one.starts_with("10.0.8."); });
  };
  // What was there of IPv4 does not speak for what is tried.
  EXPECT_THAT(management_->report().addresses, ElementsAre("2001:db8:8::5/64"));
  ASSERT_TRUE(wait_until(wished, 4, leased));
  EXPECT_TRUE(shell("ip route get 192.0.2.1 | grep 'via 10.0.8.1 dev eth0'"));
  EXPECT_EQ(read_small_file(conf(), 4'096).value_or(""),
            "nameserver 10.0.8.53\nsearch example.org\n");
  ASSERT_TRUE(management_->confirm(4, clock_));
  const std::string after = network();
  restart();
  EXPECT_EQ(network(), after);
  work(wished, 4);
  EXPECT_TRUE(leased());
  // One that gets no lease goes back to the one that has it.
  auto other = wish({"10.0.9.5/24"});
  work(other, 5);
  EXPECT_FALSE(leased());
  pass(other, 5, 31);
  EXPECT_EQ(network(), after);
}

}  // namespace
}  // namespace beaconry::test_machine
