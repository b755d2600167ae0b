#pragma once
// The machine's own network, in a namespace: "eth0" with a segment at its other end, "wire", which
// lies in a namespace of its own where it matters.
#include <gtest/gtest.h>

#include <array>
#include <cstdio>

#include "base/file.h"
#include "sensor/network/management.h"
#include "sensor/network/test_machine.h"

namespace beaconry::test_machine {

inline std::string output_of(const std::string& command) {
  std::string text;
  FILE* pipe = ::popen(command.c_str(), "r");
  std::array<char, 4'096> bytes;
  for (std::size_t got; (got = ::fread(bytes.data(), 1, bytes.size(), pipe)) > 0;)
    text.append(bytes.data(), got);
  ::pclose(pipe);
  return text;
}

class ManagementNetwork : public testing::Test {
 protected:
  void SetUp() override {
    if (::unshare(CLONE_NEWNET) != 0) GTEST_SKIP() << "needs root to make network namespaces";
    if (!shell("ip link add eth0 type veth peer name wire && ip link add eth1 type veth peer name "
               "wire1"))
      GTEST_SKIP() << "no veth pair can be made here";
    for (const char* name : {"lo", "eth0", "wire", "eth1", "wire1"})
      ASSERT_TRUE(shell("ip link set " + std::string(name) + " up"));
    // As a network tool left it.
    ASSERT_TRUE(
        shell("ip addr add 10.0.0.2/24 broadcast 10.0.0.255 dev eth0 label eth0 && "
              "ip addr add 10.0.0.3/24 dev eth0 && ip addr add 2001:db8::2/64 nodad dev eth0 && "
              "ip route add default via 10.0.0.1 dev eth0 && "
              "ip route add 10.9.0.0/16 via 10.0.0.9 dev eth0 metric 7 && "
              "ip -6 route add default via 2001:db8::1 dev eth0 && "
              "ip addr add 10.1.0.2/24 dev eth1 && "
              "ip route add default via 10.1.0.1 dev eth1 metric 5"));
    std::string folder = std::filesystem::temp_directory_path() / "bcymgmXXXXXX";
    ASSERT_NE(::mkdtemp(folder.data()), nullptr);
    folder_ = folder;
    ASSERT_TRUE(replace_file(conf(), "search example.org\nnameserver 10.0.0.1\n"));
    before_ = network();
    restart();
  }
  void TearDown() override {
    management_.reset();
    shell("test -e " + folder_ + "/dnsmasq.pid && kill $(cat " + folder_ + "/dnsmasq.pid)");
    if (!folder_.empty()) std::filesystem::remove_all(folder_);
  }

  std::string conf() const { return folder_ + "/resolv.conf"; }
  Management::Options options() const {
    return {folder_ + "/state", find_dhcp_client(""), conf(), boot_};
  }
  void restart() {
    management_.reset();
    auto opened = Management::open(options(), clock_);
    ASSERT_TRUE(opened) << opened.error().message();
    management_ = std::move(*opened);
  }
  // All of it that a change may touch, in words; what the kernel does by itself is left out.
  std::string network() const {
    return output_of(
               "ip -o addr show dev eth0 scope global; ip -o addr show dev eth1 scope global; "
               "ip -o link | sed 's/^[0-9]*: //; s/link.*//'; ip route show table main | sort; "
               "ip -6 route show table main proto boot | sort") +
           read_small_file(conf(), 4'096).value_or("none");
  }
  static ManagementWish wish(const std::vector<std::string>& addresses,
                             const std::vector<std::string>& gateways = {}) {
    ManagementWish made;
    made.interface = "eth0";
    made.addresses = addresses;
    made.gateways = gateways;
    made.confirm_within = 30;
    return made;
  }
  static bool has_vlans() {
    return shell("ip link add link eth0 name eth0.9 type vlan id 9 && ip link del eth0.9");
  }
  static ManagementWish whole_wish() {
    ManagementWish made = wish({"10.0.7.5/24", "2001:db8:7::5/64"}, {"10.0.7.1", "2001:db8:7::1"});
    made.resolvers = {"10.0.7.53", "2001:db8:7::53"};
    made.mtu = 1'400;
    return made;
  }
  void work(const std::optional<ManagementWish>& wish, std::uint64_t version) {
    management_->work(wish, version, clock_);
  }
  // The clock runs in steps, as in a daemon that works.
  void pass(const std::optional<ManagementWish>& wish, std::uint64_t version, int seconds) {
    for (int i = 0; i < seconds; ++i) {
      clock_ += std::chrono::seconds{1};
      work(wish, version);
    }
  }
  void serve(const std::string& interface) {
    ASSERT_TRUE(shell("dnsmasq --port=0 --interface=" + interface +
                      " --bind-interfaces --no-ping --user=root "
                      "--dhcp-range=10.0.8.50,10.0.8.60,255.255.255.0,2m --leasefile-ro "
                      "--dhcp-option=option:dns-server,10.0.8.53 --conf-file=/dev/null "
                      "--pid-file=" +
                      folder_ + "/dnsmasq.pid"));
  }
  bool wait_until(const std::optional<ManagementWish>& wish, std::uint64_t version,
                  const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      ::poll(nullptr, 0, 10);
      work(wish, version);
    }
    return true;
  }

  std::string folder_, before_, boot_ = "one";
  Timestamp clock_ = now();
  std::unique_ptr<Management> management_;
};

}  // namespace beaconry::test_machine
