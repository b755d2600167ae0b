#include "sensor/canary.h"

#include <gtest/gtest.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>

#include "base/ip_address.h"
#include "sensor/canary_traffic.h"

namespace beaconry {
namespace {

using namespace std::chrono_literals;

// In a child with a network of its own, since nothing here may reach a real interface.
int in_own_network(const std::function<int()>& run) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (::unshare(CLONE_NEWNET) != 0) ::_exit(77);
    ::_exit(run());
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 99;
}

TEST(Canary, is_for_receiving_ends_of_those_who_ask) {
  Manifest manifest;
  manifest.interfaces = {{"mirror", Direction::receive, false, ""},
                         {"port", Direction::receive, false, ""},
                         {"net", Direction::both, false, ""}};
  InterfaceWish mirror, port, net;
  mirror.name = "mirror";
  mirror.kind = InterfaceWish::Kind::mirror;
  port.name = "port";
  port.kind = InterfaceWish::Kind::physical;
  net.name = "net";
  const std::vector<InterfaceWish> wishes{mirror, port, net};
  EXPECT_TRUE(Canary::interfaces_of("detector_0", manifest, wishes).empty());
  manifest.canary = true;
  const auto names = Canary::interfaces_of("detector_0", manifest, wishes);
  ASSERT_EQ(names.size(), 1U);
  EXPECT_EQ(names[0].substr(0, 3), "bcy");
  EXPECT_EQ(names[0].back(), 'h');
  EXPECT_LT(names[0].size(), 16U);
}

TEST(Canary, comes_out_of_the_other_end_every_five_seconds) {
  const int status = in_own_network([] {
    if (std::system("ip link add bcyh type veth peer name bcyc 2>/dev/null && ip link set bcyh up "
                    "&& ip link set bcyc up") != 0) {
      return 77;
    }
    const Fd heard(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, __builtin_bswap16(ETH_P_IP)));
    sockaddr_ll at{};
    at.sll_family = AF_PACKET;
    at.sll_protocol = __builtin_bswap16(ETH_P_IP);
    at.sll_ifindex = static_cast<int>(::if_nametoindex("bcyc"));
    if (::bind(heard.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0) return 2;
    auto canary = Canary::open();
    if (!canary) return 77;
    Canary::Clock::time_point now{1h};
    (*canary)->work(now);  // nobody wants it yet
    (*canary)->set_interfaces({"bcyh", "gone"});
    for (int i = 0; i < 31; ++i)
      (*canary)->work(now + i * 500ms);
    if ((*canary)->reports().at("bcyh").sent != 4) return 3;  // at 0, 5, 10 and 15 s
    const auto& gone = (*canary)->reports().at("gone");
    if (gone.failed != 4 || gone.error.find("gone") == std::string::npos) return 4;
    if ((*canary)->pause(now + 16s) != 4s) return 5;
    std::array<std::uint8_t, 2048> bytes{};
    std::uint16_t last_port = 0;
    for (int i = 0; i < 4; ++i) {
      pollfd waits{heard.get(), POLLIN, 0};
      if (::poll(&waits, 1, 60'000) != 1) return 6;
      const ssize_t got = ::recv(heard.get(), bytes.data(), bytes.size(), 0);
      if (got < 42) return 7;
      if (IpAddress::v4_bytes(bytes.data() + 26).to_string() != kCanarySource) return 8;
      if (IpAddress::v4_bytes(bytes.data() + 30).to_string() != kCanaryDestination) return 9;
      const auto from = static_cast<std::uint16_t>(bytes[34] << 8 | bytes[35]);
      if (bytes[36] != 0 || bytes[37] != kCanaryPort || from == last_port) return 10;
      last_port = from;
    }
    (*canary)->set_interfaces({"bcyh"});
    return (*canary)->reports().size() == 1 ? 0 : 11;
  });
  if (status == 77) GTEST_SKIP() << "network namespaces and packet sockets need root here";
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace beaconry
