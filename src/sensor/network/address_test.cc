// Addresses: none, static, by DHCP.
#include <gmock/gmock.h>

#include "base/file.h"
#include "sensor/network/dhcp.h"
#include "sensor/network/prefix.h"
#include "sensor/network/test_machine.h"

namespace beaconry::test_machine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Kind = InterfaceWish::Kind;

class Address : public Machine {
 protected:
  std::string resolvers() const {
    return read_small_file(folder_ + "/recorder_0/resolv.conf", 4'096).value_or("none");
  }
  void TearDown() override {
    shell("test -e " + folder_ + "/dnsmasq.pid && kill $(cat " + folder_ + "/dnsmasq.pid)");
    Machine::TearDown();
  }
  void serve() {
    ASSERT_TRUE(shell("ip addr replace 192.0.2.1/24 dev br0"));
    ASSERT_TRUE(
        shell("dnsmasq --port=0 --interface=br0 --bind-interfaces --no-ping --user=root "
              "--dhcp-range=192.0.2.50,192.0.2.60,255.255.255.0,2m --leasefile-ro "
              "--dhcp-option=option:dns-server,192.0.2.53 --conf-file=/dev/null "
              "--pid-file=" +
              folder_ + "/dnsmasq.pid"));
  }
};

TEST_F(Address, IsSetWithItsGatewayAndResolvers) {
  plug_segment();
  ASSERT_TRUE(shell("ip addr add 192.0.2.1/24 dev br0"));
  const Container container;
  InterfaceWish how = wish(Kind::bridge, "br0", "192.0.2.7/24");
  how.gateway = "192.0.2.1";
  how.resolvers = {"192.0.2.53", "2001:db8::53"};
  start(manifest(Direction::both), how, container);
  EXPECT_EQ(report().address, "192.0.2.7/24");
  EXPECT_EQ(resolvers(), "nameserver 192.0.2.53\nnameserver 2001:db8::53\n");
  EXPECT_TRUE(container.within([] {
    return shell("ip route show default | grep 'via 192.0.2.1 dev capture'") &&
           shell("busybox ping -c 1 -W 10 192.0.2.1");
  }));
}

TEST_F(Address, MayBeOfIpv6) {
  const Container container;
  InterfaceWish how = wish(Kind::bridge, "br0", "2001:db8::7/64");
  how.gateway = "2001:db8::1";
  start(manifest(Direction::receive), how, container);
  EXPECT_EQ(report().address, "2001:db8::7/64");
  EXPECT_EQ(report().refused_sent, 0U);
  EXPECT_TRUE(container.within([] {
    return shell("ip -6 addr show dev capture | grep 2001:db8::7/64") &&
           shell("ip -6 route show default | grep 2001:db8::1");
  }));
}

TEST_F(Address, ComesByDhcpAndIsKeptWhenTheDaemonIsKilled) {
  if (!shell("command -v dnsmasq") || !shell("busybox udhcpc --help"))
    GTEST_SKIP() << "needs dnsmasq-base and busybox";
  const Container container;
  const auto made = manifest(Direction::both);
  const auto how = wish(Kind::bridge, "br0", "dhcp");
  start(made, how, container);
  EXPECT_THAT(report().cause, HasSubstr("no address by DHCP"));
  serve();
  ASSERT_TRUE(wait_until([&] { return !report().address.empty(); }));
  const std::string address = report().address;
  EXPECT_THAT(address, testing::MatchesRegex("192\\.0\\.2\\.[56][0-9]/24"));
  EXPECT_EQ(report().cause, "");
  EXPECT_EQ(resolvers(), "nameserver 192.0.2.53\n");
  EXPECT_TRUE(container.within([] { return shell("ip route show default | grep 192.0.2.1"); }));
  // Another daemon takes over: the address stays, and is confirmed.
  open({"recorder_0"});
  ASSERT_TRUE(network_->attach("recorder_0", container.process(), made, {how}));
  EXPECT_EQ(report().address, address);
  EXPECT_EQ(resolvers(), "nameserver 192.0.2.53\n");
  ASSERT_TRUE(wait_until([&] { return shell("grep -q bound " + folder_ + "/.network/*.lease"); }));
  EXPECT_EQ(report().address, address);
}

TEST_F(Address, IsAskedForAgainWhenTheClientEnds) {
  if (!shell("busybox udhcpc --help")) GTEST_SKIP() << "needs busybox";
  const Container container;
  start(manifest(Direction::both), wish(Kind::bridge, "br0", "dhcp"), container);
  const std::string pids = folder_ + "/.network/*.pid";
  ASSERT_TRUE(wait_until([&] { return shell("test -s " + pids); }));
  ASSERT_TRUE(shell("p=$(cat " + pids + ") && rm " + pids + " && kill -9 $p"));
  // By the clock that is handed in, not by waiting.
  for (Timestamp clock = now(); !shell("test -s " + pids); clock += std::chrono::seconds{6}) {
    pollfd waiting{network_->descriptor(), POLLIN, 0};
    ASSERT_EQ(::poll(&waiting, 1, 20'000), 1);
    network_->work(clock);
  }
}

TEST(Prefix, IsAnAddressWithALengthThatFits) {
  EXPECT_EQ(Prefix::parse("192.0.2.7/24")->to_string(), "192.0.2.7/24");
  EXPECT_EQ(Prefix::parse("2001:db8::7/64")->to_string(), "2001:db8::7/64");
  EXPECT_EQ(Prefix::parse("192.0.2.7/32")->to_string(), "192.0.2.7/32");
  for (const char* bad : {"", "/24", "192.0.2.7", "2001:db8::7", "192.0.2.7/", "192.0.2.7/33",
                          "192.0.2.7/-1", "::1/129", "192.0.2.7/024x", "192.0.2.7/9999"})
    EXPECT_FALSE(Prefix::parse(bad)) << bad;
}

TEST(DhcpNews, LeavesOutWhatIsNoAddress) {
  const auto news = DhcpNews::parse(
      "state=bound\nip=192.0.2.50\nmask=24\nrouter=0.0.0.0 nonsense\ndns=nonsense 192.0.2.53 "
      "224.0.0.1 192.0.2.54\nunknown\n=\n");
  EXPECT_TRUE(news.has_lease());
  EXPECT_EQ(news.address->to_string(), "192.0.2.50/24");
  EXPECT_FALSE(news.router);
  EXPECT_THAT(news.resolvers,
              ElementsAre(*IpAddress::parse("192.0.2.53"), *IpAddress::parse("192.0.2.54")));
  EXPECT_FALSE(DhcpNews::parse("state=deconfig\nip=\nmask=\n").has_lease());
  EXPECT_FALSE(DhcpNews::parse("state=bound\nip=192.0.2.50\nmask=99\n").has_lease());
}

}  // namespace
}  // namespace beaconry::test_machine
