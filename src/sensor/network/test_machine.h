#pragma once
// A machine of the test's own: a network namespace with a bridge "br0" and a veth pair "eth1" (its
// other end, "wire", is the segment), and containers: processes with network namespaces of their
// own, into which interfaces are moved as LXD does.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/fd.h"
#include "sensor/network.h"
#include "sensor/network/contract.h"
#include "sensor/network/links.h"
#include "sensor/network/name_space.h"

namespace beaconry::test_machine {

inline bool shell(const std::string& command) {
  return std::system((command + " 2>/dev/null >/dev/null").c_str()) == 0;
}

inline Timestamp now() {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

// A process that does nothing in a network namespace of its own, which belongs to a user namespace
// of its own: of an unprivileged container.
class Container {
 public:
  Container() {
    int ready[2];
    if (::pipe(ready) != 0) return;
    process_ = ::fork();
    if (process_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      const char word = ::unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0 ? '+' : '-';
      (void)!::write(ready[1], &word, 1);
      for (;;)
        ::pause();
    }
    char word = 0;
    (void)!::read(ready[0], &word, 1);
    EXPECT_EQ(word, '+');
    ::close(ready[0]);
    ::close(ready[1]);
    space_ = *NameSpace::of_process(process_);
  }
  ~Container() { end(); }
  void end() {
    if (process_ > 0) {
      ::kill(process_, SIGKILL);
      ::waitpid(process_, nullptr, 0);
    }
    process_ = -1;
    space_ = {};
  }

  int process() const { return process_; }
  const NameSpace& space() const { return space_; }
  bool within(const std::function<bool()>& work) const {
    bool good = false;
    EXPECT_TRUE(space_.within([&]() -> Result<void> {
      good = work();
      return {};
    }));
    return good;
  }
  // As LXD: moves them in, gives them their names, brings them up.
  void take(const std::vector<ContainerSpec::Nic>& nics) const {
    auto links = *Links::open();
    for (const auto& nic : nics) {
      const auto link = links.find(nic.parent);
      ASSERT_TRUE(link && *link) << nic.parent;
      ASSERT_TRUE(links.move((*link)->index, space_.descriptor(), nic.name));
      ASSERT_TRUE(within([&] { return shell("ip link set " + nic.name + " up"); }));
    }
  }

 private:
  pid_t process_ = -1;
  NameSpace space_;
};

// A raw socket on an interface; sees frames that arrive.
class Wire {
 public:
  explicit Wire(const std::string& interface) {
    socket_ = Fd(::socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, htons(0x0003)));
    address_.sll_family = AF_PACKET;
    address_.sll_protocol = htons(0x0003);
    address_.sll_ifindex = static_cast<int>(::if_nametoindex(interface.c_str()));
    EXPECT_NE(address_.sll_ifindex, 0) << interface;
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address_), sizeof address_),
              0);
  }
  static std::unique_ptr<Wire> in(const Container& container, const std::string& interface) {
    std::unique_ptr<Wire> wire;
    container.within([&] {
      wire = std::make_unique<Wire>(interface);
      return true;
    });
    return wire;
  }
  // A broadcast frame of a type that nobody else uses.
  static std::string frame(std::uint8_t number, const std::string& from) {
    std::string bytes = std::string(6, '\xff') + from + "\x88\xb5";
    bytes.push_back(static_cast<char>(number));
    bytes.resize(80);
    return bytes;
  }
  void send(std::uint8_t number) const {
    EXPECT_TRUE(send_frame(frame(number, "\x02\x01\x01\x01\x01\x01")));
  }
  // A drop at the sender's own interface is its error: "no buffer space".
  void send_refused(std::uint8_t number,
                    const std::string& from = "\x02\x01\x01\x01\x01\x01") const {
    EXPECT_FALSE(send_frame(frame(number, from)));
  }
  bool send_frame(const std::string& bytes) const {
    return ::sendto(socket_.get(), bytes.data(), bytes.size(), 0,
                    reinterpret_cast<const sockaddr*>(&address_),
                    sizeof address_) == static_cast<ssize_t>(bytes.size());
  }
  // Numbers of our frames that have arrived from outside since the last call, and all others.
  std::vector<int> arrived() {
    std::vector<int> numbers;
    char bytes[2'048];
    sockaddr_ll from{};
    socklen_t size = sizeof from;
    for (;;) {
      const ssize_t got = ::recvfrom(socket_.get(), bytes, sizeof bytes, 0,
                                     reinterpret_cast<sockaddr*>(&from), &size);
      if (got < 0) return numbers;
      if (from.sll_pkttype == PACKET_OUTGOING) continue;
      if (got > 14 && bytes[12] == '\x88' && bytes[13] == '\xb5') {
        numbers.push_back(static_cast<unsigned char>(bytes[14]));
      } else {
        ++others_;
      }
    }
  }
  std::size_t others() const { return others_; }

 private:
  Fd socket_;
  sockaddr_ll address_{};
  std::size_t others_ = 0;
};

// What arrives at `wire` until `number`, the last one, has.
inline std::vector<int> all_until(Wire& wire, int number) {
  std::vector<int> all;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{20};
  while (std::chrono::steady_clock::now() < deadline) {
    for (const int one : wire.arrived())
      all.push_back(one);
    if (!all.empty() && all.back() == number) return all;
    std::this_thread::yield();
  }
  return all;
}

class Machine : public testing::Test {
 protected:
  void SetUp() override {
    if (::unshare(CLONE_NEWNET) != 0) GTEST_SKIP() << "needs root to make network namespaces";
    // A bridge joins a multicast group and tells its segment so, which no count expects.
    std::ofstream("/proc/sys/net/ipv4/igmp_link_local_mcast_reports") << 0;
    if (!shell("ip link add br0 type bridge") ||
        !shell("ip link add eth1 type veth peer name wire"))
      GTEST_SKIP() << "no bridge or veth pair can be made here";
    if (!shell("nft add table netdev try && nft delete table netdev try"))
      GTEST_SKIP() << "nftables' family netdev is not there";
    for (const char* name : {"all", "default", "br0", "eth1", "wire"})
      std::ofstream("/proc/sys/net/ipv6/conf/" + std::string(name) + "/disable_ipv6") << 1;
    for (const char* name : {"lo", "br0", "eth1", "wire"})
      ASSERT_TRUE(shell("ip link set " + std::string(name) + " up"));
    std::string folder = std::filesystem::temp_directory_path() / "bcynetXXXXXX";
    ASSERT_NE(::mkdtemp(folder.data()), nullptr);
    folder_ = folder;
    open({});
  }
  void TearDown() override {
    network_.reset();
    if (!folder_.empty()) std::filesystem::remove_all(folder_);
  }
  void open(const std::vector<std::string>& running) {
    network_.reset();
    auto network = Network::open({{}, {}, folder_, now}, running);
    ASSERT_TRUE(network) << network.error().message();
    network_ = std::move(*network);
  }

  // A segment on the bridge: its far end is "seg".
  void plug_segment() {
    ASSERT_TRUE(
        shell("ip link add seg type veth peer name segb && ip link set segb master br0 && "
              "ip link set segb up && ip link set seg up"));
  }

  static Manifest manifest(Direction contract, bool optional = false) {
    Manifest made;
    made.name = "recorder";
    made.capabilities = {"net_raw"};
    made.interfaces = {{"capture", contract, optional, ""}};
    return made;
  }
  static InterfaceWish wish(InterfaceWish::Kind kind, const std::string& parent,
                            const std::string& address = "none") {
    return {"capture", kind, parent, address, "", {}};
  }
  // Prepared, moved in, attached.
  void start(const Manifest& made, const InterfaceWish& how, const Container& container) {
    const auto nics = network_->prepare("recorder_0", made, {how});
    ASSERT_TRUE(nics) << nics.error().message();
    container.take(*nics);
    const auto done = network_->attach("recorder_0", container.process(), made, {how});
    ASSERT_TRUE(done) << done.error().message();
  }
  InterfaceReport report() {
    const auto all = network_->report("recorder_0");
    return all.empty() ? InterfaceReport{} : all.front();
  }
  bool wait_until(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      pollfd waiting{network_->descriptor(), POLLIN, 0};
      ::poll(&waiting, 1, 10);
      for (const std::string& one : network_->work(now()).restarts)
        restarts_.push_back(one);
    }
    return true;
  }
  static bool has_link(const std::string& name) { return ::if_nametoindex(name.c_str()) != 0; }
  // Interfaces and tables of ours on the host.
  static std::vector<std::string> left() {
    std::vector<std::string> all;
    auto host = *Links::open();
    const auto links = host.list();
    EXPECT_TRUE(links);
    for (const Link& one : links ? *links : std::vector<Link>{}) {
      if (one.name.rfind("bcy", 0) == 0 || !one.alias.empty()) all.push_back(one.name);
    }
    auto filter = *NetlinkSocket::open(NETLINK_NETFILTER);
    const auto tables = list_tables(filter);
    EXPECT_TRUE(tables) << tables.error().message();
    if (tables) all.insert(all.end(), tables->begin(), tables->end());
    return all;
  }

  std::string folder_;
  std::unique_ptr<Network> network_;
  std::vector<std::string> restarts_;
};

}  // namespace beaconry::test_machine
