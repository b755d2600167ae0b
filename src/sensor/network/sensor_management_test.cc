// A sensor whose own network changes: in a namespace with two ways out.
#include <gmock/gmock.h>

#include <thread>

#include "sensor/network/test_machine.h"
#include "sensor/sensor.h"
#include "sensor/test_parts.h"

namespace beaconry::test_machine {
namespace {

using testing::HasSubstr;

class SensorNetwork : public testing::Test {
 protected:
  void SetUp() override {
    if (::unshare(CLONE_NEWNET) != 0) GTEST_SKIP() << "needs root to make network namespaces";
    if (!shell("ip link add eth0 type veth peer name wire0 && "
               "ip link add eth1 type veth peer name wire1"))
      GTEST_SKIP() << "no veth pair can be made here";
    for (const char* name : {"lo", "eth0", "wire0", "eth1", "wire1"})
      ASSERT_TRUE(shell("ip link set " + std::string(name) + " up"));
    ASSERT_TRUE(
        shell("ip addr add 10.0.0.2/24 dev eth0 && ip route add default via 10.0.0.1 dev eth0"));
    std::string folder = std::filesystem::temp_directory_path() / "bcysenXXXXXX";
    ASSERT_NE(::mkdtemp(folder.data()), nullptr);
    folder_ = folder;
    Sensor::Options options;
    options.name = "sensor001";
    options.state_folder = folder_ + "/state";
    options.resolv_conf = folder_ + "/resolv.conf";
    options.clock = now;
    options.services.uplink.emplace();
    options.services.uplink->server.url = "https://192.0.2.1:8443";
    Sensor::Makers makers;
    makers.network = [this](const Network::Options& given, const std::vector<std::string>&) {
      reserved_ = given.reserved;
      return Result<std::unique_ptr<Network>>(std::make_unique<test::FakeNetwork>());
    };
    makers.services = [](const Services::Options& given) {
      return Result<std::unique_ptr<Services>>(std::make_unique<test::FakeServices>(given));
    };
    auto sensor = Sensor::open(options, runtime_, makers);
    ASSERT_TRUE(sensor) << sensor.error().message();
    sensor_ = std::move(*sensor);
    thread_ = std::thread([this] { sensor_->run(); });
  }
  void TearDown() override {
    if (sensor_) {
      sensor_->stop();
      thread_.join();
    }
    sensor_.reset();
    if (!folder_.empty()) std::filesystem::remove_all(folder_);
  }
  // The version whose trial has begun.
  std::uint64_t wish(const std::string& management) {
    const auto version =
        sensor_->set_desired(R"({"instances": {}, "management": )" + management + "}", "anna");
    EXPECT_TRUE(version) << version.error().message();
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    while (sensor_->management_trial() != *version && std::chrono::steady_clock::now() < deadline)
      std::this_thread::yield();
    return *version;
  }

  // As a link to the server has it.
  static TrialProof proof(std::uint64_t version, const std::string& local,
                          const std::string& peer = "192.0.2.1") {
    return {version, *IpAddress::parse(local), *IpAddress::parse(peer)};
  }

  std::string folder_;
  test::FakeRuntime runtime_;
  std::function<std::vector<std::string>()> reserved_;
  std::unique_ptr<Sensor> sensor_;
  std::thread thread_;
};

TEST_F(SensorNetwork, IsConfirmedByALinkThatLeadsOverItAlone) {
  EXPECT_THAT(reserved_(), testing::Contains("eth0"));
  EXPECT_THAT(reserved_(), testing::Not(testing::Contains("eth1")));
  auto version = wish(R"({"interface": "eth1", "address": "10.1.0.7/24"})");
  const auto other_way = sensor_->confirm_management(proof(version, "10.0.0.2"));
  ASSERT_FALSE(other_way);
  EXPECT_THAT(other_way.error().message(), HasSubstr("reached by eth0"));
  EXPECT_EQ(sensor_->report().management.state, ManagementReport::State::trial);
  version = wish(R"({"interface": "eth1", "address": "10.1.0.7/24", "gateway": "10.1.0.1"})");
  EXPECT_FALSE(sensor_->confirm_management(proof(version + 1, "10.1.0.7")));
  const auto confirmed = sensor_->confirm_management(proof(version, "10.1.0.7"));
  ASSERT_TRUE(confirmed) << confirmed.error().message();
  EXPECT_EQ(sensor_->report().management.state, ManagementReport::State::confirmed);
  EXPECT_THAT(reserved_(), testing::Contains("eth1"));
}

TEST_F(SensorNetwork, IsNotConfirmedByALinkOverTheOneBefore) {
  auto version = wish(R"({"interface": "eth0", "address": "10.0.0.2/24", "gateway": "10.0.0.1"})");
  ASSERT_TRUE(sensor_->confirm_management(proof(version, "10.0.0.2")));
  // The server has an address of IPv6, too, to which a router leads that eth0 heard of.
  ASSERT_TRUE(
      shell("ip addr add 2001:db8:5::2/64 dev eth0 nodad valid_lft 3600 preferred_lft 3600 && "
            "ip -6 route add default via 2001:db8:5::1 dev eth0 proto ra"));
  version = wish(R"({"interface": "eth1", "address": "10.1.0.7/24", "gateway": "10.1.0.1"})");
  const auto refused =
      sensor_->confirm_management(proof(version, "2001:db8:5::2", "2001:db8:ff::1"));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message(), HasSubstr("reached by eth0"));
  EXPECT_FALSE(sensor_->confirm_management(proof(version, "10.0.0.2", "10.0.0.9")));
  EXPECT_EQ(sensor_->report().management.state, ManagementReport::State::trial);
  EXPECT_TRUE(sensor_->confirm_management(proof(version, "10.1.0.7")));
}

TEST_F(SensorNetwork, IsConfirmedByAPersonWhateverTheWayIs) {
  wish(R"({"interface": "eth1", "address": "10.1.0.7/24"})");
  const auto confirmed = sensor_->confirm_management(std::nullopt);
  ASSERT_TRUE(confirmed) << confirmed.error().message();
  EXPECT_EQ(sensor_->report().management.state, ManagementReport::State::confirmed);
}

}  // namespace
}  // namespace beaconry::test_machine
