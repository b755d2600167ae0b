#pragma once
// Home in a network namespace of the test's own, 203.0.113.10 and 2001:db8::10, and one beside it
// that probes call from, 198.51.100.5 and 2001:db8::5, over a veth pair.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/fd.h"
#include "home/home.h"
#include "home/socket_address.h"
#include "packet/craft.h"
#include "packet/parse.h"
#include "spool/test_folder.h"

namespace beaconry::test_home {

inline Timestamp system_now() {
  return std::chrono::floor<Duration>(std::chrono::system_clock::now());
}

inline const IpAddress kHome4 = *IpAddress::parse("203.0.113.10");
inline const IpAddress kHome6 = *IpAddress::parse("2001:db8::10");
inline const IpAddress kProbe4 = *IpAddress::parse("198.51.100.5");
inline const IpAddress kProbe6 = *IpAddress::parse("2001:db8::5");

inline sockaddr_storage to_socket_address(const IpAddress& address, std::uint16_t port) {
  sockaddr_storage storage{};
  if (address.is_v4()) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_addr.s_addr = htonl(address.v4_value());
    v4.sin_port = htons(port);
    std::memcpy(&storage, &v4, sizeof v4);
  } else {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    std::memcpy(&v6.sin6_addr, address.bytes().data(), 16);
    v6.sin6_port = htons(port);
    std::memcpy(&storage, &v6, sizeof v6);
  }
  return storage;
}
inline socklen_t size_of(const sockaddr_storage& address) {
  return address.ss_family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
}

// A probe as it would be out there.
struct TestProbe {
  explicit TestProbe(const PartyKeys& home, std::string its_name = "cell 7")
      : keys(PartyKeys::make_seed()),
        name(std::move(its_name)),
        key(*SharedKey::make(keys, home.box_public())) {}
  KnownProbe known() const {
    return {keys.id(), name, keys.box_public(), keys.sign_public(), false};
  }
  Ping ping(MethodId method, const IpAddress& to = kHome4, std::uint16_t port = 443) {
    Ping ping;
    ping.method = method;
    ping.probe = keys.id();
    ping.sequence = ++sequence;
    ping.sent = system_now();
    ping.source = kProbe4;
    ping.destination = to;
    ping.port = port;
    return ping;
  }
  Bytes sealed(const Ping& ping) const { return seal(ping, key); }

  PartyKeys keys;
  std::string name;
  SharedKey key;
  std::uint64_t sequence = 0;
};

class HomeNetwork : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0 || ::unshare(CLONE_NEWNET) != 0) {
      GTEST_SKIP() << "no network namespace can be made here: needs root";
    }
    outside_ = Fd(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
    ASSERT_EQ(::unshare(CLONE_NEWNET), 0);
    inside_ = Fd(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
    const std::string other = "/proc/" + std::to_string(::getpid()) + "/fd/";
    if (!shell("ip link add va address 02:00:00:00:00:0a type veth peer name vb address "
               "02:00:00:00:00:05 netns " +
               other + std::to_string(outside_.get()))) {
      GTEST_SKIP() << "no veth pair can be made here";
    }
    ASSERT_TRUE(shell("ip link set lo up && ip link set va up"));
    ASSERT_TRUE(
        shell("ip addr add 203.0.113.10/24 dev va && "
              "ip addr add 2001:db8::10/64 dev va nodad"));
    ASSERT_TRUE(shell("ip route add default via 203.0.113.1 dev va"));
    ASSERT_TRUE(shell("ip neigh add 203.0.113.1 lladdr 02:00:00:00:00:05 dev va"));
    ASSERT_TRUE(shell("ip neigh add 2001:db8::5 lladdr 02:00:00:00:00:05 dev va"));
    outside([&] {
      ASSERT_TRUE(shell("ip link set lo up && ip link set vb up"));
      ASSERT_TRUE(
          shell("ip addr add 198.51.100.5/24 dev vb && "
                "ip addr add 2001:db8::5/64 dev vb nodad"));
      ASSERT_TRUE(shell("ip route add 203.0.113.0/24 dev vb"));
      ASSERT_TRUE(shell("ip neigh add 203.0.113.10 lladdr 02:00:00:00:00:0a dev vb"));
      ASSERT_TRUE(shell("ip neigh add 2001:db8::10 lladdr 02:00:00:00:00:0a dev vb"));
    });
  }

  static bool shell(const std::string& command) {
    return std::system(("{ " + command + "; } 2>/dev/null").c_str()) == 0;
  }
  // Runs in the probe's namespace; sockets made there stay there.
  void outside(const std::function<void()>& what) {
    ASSERT_EQ(::setns(outside_.get(), CLONE_NEWNET), 0);
    what();
    ASSERT_EQ(::setns(inside_.get(), CLONE_NEWNET), 0);
  }
  Fd outside_socket(int family, int type, int protocol = 0) {
    Fd socket;
    outside([&] { socket = Fd(::socket(family, type | SOCK_CLOEXEC, protocol)); });
    return socket;
  }

  void open_home(HomeSettings settings = {}) {
    Spool::Options spool;
    spool.folder = folder_.path();
    spool_ = *Spool::open(spool);
    Home::Options options;
    options.settings = std::move(settings);
    options.clock = system_now;
    auto home = Home::open(std::move(options), keys_, *spool_);
    ASSERT_TRUE(home) << home.error().message();
    home_ = std::move(*home);
    const auto status = home_->status_json();
    if (status.find("\"open\": false") != std::string::npos) {
      home_.reset();
      GTEST_SKIP() << "this machine lacks something: " << status;
    }
    ASSERT_TRUE(home_->set_probes({probe_.known()}));
  }

  // An IP packet as it comes from the wire.
  void send_packet(const Bytes& packet) {
    if (!frames_) frames_ = outside_socket(AF_PACKET, SOCK_RAW);
    const Bytes frame =
        ethernet(*MacAddress::parse("02:00:00:00:00:0a"), *MacAddress::parse("02:00:00:00:00:05"),
                 packet[0] >> 4 == 4 ? kEtherIpv4 : kEtherIpv6, packet);
    if (frame_index_ == 0)
      outside([&] { frame_index_ = static_cast<int>(::if_nametoindex("vb")); });
    sockaddr_ll to{};
    to.sll_family = AF_PACKET;
    to.sll_ifindex = frame_index_;
    ASSERT_EQ(::sendto(frames_.get(), frame.data(), frame.size(), 0,
                       reinterpret_cast<const sockaddr*>(&to), sizeof to),
              static_cast<ssize_t>(frame.size()));
  }

  bool wait_until(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      home_->work();
      std::this_thread::sleep_for(std::chrono::milliseconds{5});
    }
    return true;
  }
  // What home keeps, so far.
  std::vector<Observation> observations() {
    EXPECT_TRUE(home_->flush());
    std::vector<Observation> all;
    for (std::uint64_t number = spool_->first(); number < spool_->next(); ++number) {
      const auto record = spool_->read(number);
      if (!record || !*record) break;
      const auto batch = decode_observations((*record)->bytes, {});
      EXPECT_TRUE(batch) << batch.error().message();
      if (!batch) break;
      all.insert(all.end(), batch->observations.begin(), batch->observations.end());
    }
    return all;
  }
  std::uint64_t counter(const std::string& name, const std::string& place = {}) const {
    for (const EdgeCounter& one : home_->counters()) {
      if (one.name == name && one.place == place) return one.value;
    }
    ADD_FAILURE() << "no counter " << name;
    return 0;
  }

  Fd outside_, inside_, frames_;
  int frame_index_ = 0;
  TestFolder folder_;
  std::unique_ptr<Spool> spool_;
  std::unique_ptr<Home> home_;
  PartyKeys keys_{PartyKeys::make_seed()};
  TestProbe probe_{keys_};
};

}  // namespace beaconry::test_home
