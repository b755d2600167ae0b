#include "sensor/lxd_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "image/manifest_keys.h"

namespace beaconry::lxd {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

ContainerSpec spec() {
  ContainerSpec spec;
  spec.name = "beacon-0";
  spec.fingerprint = std::string(64, 'a');
  return spec;
}

TEST(LxdSpec, WithoutCapabilitiesKeepsNone) {
  EXPECT_THAT(raw_lxc(spec()), HasSubstr("lxc.cap.drop =\nlxc.cap.keep = none\n"));
  ContainerSpec some = spec();
  some.capabilities = {"net_raw", "chown"};
  EXPECT_THAT(raw_lxc(some), HasSubstr("lxc.cap.drop =\nlxc.cap.keep = net_raw chown\n"));
}

TEST(LxdSpec, OpensNoDeviceThatReachesTheHost) {
  const std::string raw = raw_lxc(spec());
  for (const char* version : {"lxc.cgroup.", "lxc.cgroup2."})
    EXPECT_THAT(raw, HasSubstr(version + std::string("devices.deny = a\n")));
  EXPECT_THAT(raw, Not(HasSubstr("10:229")));  // fuse
  EXPECT_THAT(raw, Not(HasSubstr("10:200")));  // net/tun
  EXPECT_THAT(raw, Not(HasSubstr("allow = b")));
}

// Half made, by a runtime that was killed, it must not look whole.
TEST(LxdSpec, HasNoLabelsBeforeItIsMade) {
  ContainerSpec made = spec();
  made.labels = {{"stage", "ready"}};
  EXPECT_THAT(body_of(made, {"pool", "profile", ""}).dump(), Not(HasSubstr("ready")));
}

TEST(LxdSpec, BringsItsIsolationItself) {
  const Json body = body_of(spec(), {"pool", "profile", "165536"});
  const Json& config = body["config"];
  EXPECT_EQ(config["security.privileged"], "false");
  EXPECT_EQ(config["security.nesting"], "false");
  EXPECT_EQ(config["security.idmap.isolated"], "true");
  EXPECT_EQ(config["security.idmap.base"], "165536");
  EXPECT_EQ(config["user.beaconry.sensor"], "1");
  const std::string calls = config["raw.seccomp"];
  EXPECT_THAT(calls, StartsWith("2\nallowlist errno 38\n[all]\n"));
  EXPECT_THAT(calls, HasSubstr("\nread\n"));
  EXPECT_THAT(calls, HasSubstr("\nsocket allow [0,44,SCMP_CMP_LT]\n"));
  for (const char* closed : {"\nsocket\n", "\nsocketcall", "\nio_uring_setup", "\ninit_module",
                             "\nfinit_module", "\nkexec_load", "\nopen_by_handle_at"})
    EXPECT_THAT(calls, Not(HasSubstr(closed)));
  EXPECT_EQ(config["boot.autostart"], "false");
  EXPECT_EQ(config["limits.cpu.allowance"], "50ms/100ms");
  EXPECT_EQ(config["limits.kernel.nofile"], "128");
  EXPECT_EQ(body["devices"]["root"]["readonly"], "true");
  EXPECT_FALSE(body_of(spec(), {"pool", "profile", ""})["config"].contains("security.idmap.base"));
}

TEST(LxdSpec, AllProcessesTogetherOpenNoMoreThanTheBusCanBear) {
  for (const unsigned processes : {1U, 2U, 8U, 16U, 24U, 64U, 100U, 128U, 129U, kMostProcesses}) {
    ContainerSpec made = spec();
    made.processes = processes;
    const Json config = body_of(made, {"pool", "profile", ""})["config"];
    const auto files = std::stoul(config["limits.kernel.nofile"].get<std::string>());
    EXPECT_GE(files, 16UL);
    EXPECT_LE(files * processes, 8192UL) << processes;
  }
}

TEST(LxdSpec, SharesFoldersForReadingUnlessTheyAreWritable) {
  ContainerSpec made = spec();
  made.folders = {{"/a", "/resources", false}, {"/b", "/run/bus", true}};
  const Json devices = body_of(made, {"pool", "profile", ""})["devices"];
  EXPECT_EQ(devices["folder-0"]["readonly"], "true");
  EXPECT_FALSE(devices["folder-1"].contains("readonly"));
}

TEST(LxdSpec, RefusesWhatWouldSayMoreThanItSeems) {
  ASSERT_TRUE(check(spec()));
  const std::vector<void (*)(ContainerSpec&)> faults = {
      [](ContainerSpec& s) { s.name = "../a"; },
      [](ContainerSpec& s) { s.name = "beacon_0"; },
      [](ContainerSpec& s) { s.name = ""; },
      [](ContainerSpec& s) { s.name = std::string(64, 'a'); },
      [](ContainerSpec& s) { s.fingerprint = "latest"; },
      [](ContainerSpec& s) {
        s.labels = {{"a b", "c"}};
      },
      [](ContainerSpec& s) { s.capabilities = {"net_raw\nlxc.cap.keep = sys_admin"}; },
      [](ContainerSpec& s) {
        s.volumes = {{"a/b", "/data"}};
      },
      [](ContainerSpec& s) {
        s.volumes = {{"a", "data"}};
      },
      [](ContainerSpec& s) {
        s.folders = {{"/a/../etc", "/data", false}};
      },
      [](ContainerSpec& s) {
        s.folders = {{"/a\nb", "/data", false}};
      },
      [](ContainerSpec& s) {
        s.folders = {{"/a", "/", false}};
      },
      [](ContainerSpec& s) { s.processes = kMostProcesses + 1; },
      [](ContainerSpec& s) {
        s.nics = {{"veth", "a name that is long"}};
      },
  };
  int number = 0;
  for (const auto& fault : faults) {
    ContainerSpec bad = spec();
    fault(bad);
    EXPECT_FALSE(check(bad).has_value()) << "fault " << number;
    ++number;
  }
}

}  // namespace
}  // namespace beaconry::lxd
