#include "sensor/runtime.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/fd.h"
#include "base/file.h"
#include "lxd/private_lxd.h"
#include "lxd/shell.h"

namespace beaconry {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using State = ContainerState::Run;

// Says that it lives; ends by SIGTERM, or by itself when told so.
constexpr const char* kInit = R"sh(
echo "hello from $(id -u)"
trap 'echo "ends as told"; exit 0' TERM PWR
while :; do
  sleep 0.1 & wait $!
  [ -e /transient-data/die ] && { printf '\033[31mlast words\033[0m\n'; exit 3; }
done
)sh";

template <class T>
void expect_fine(const Result<T>& result) {
  EXPECT_TRUE(result.has_value()) << result.error().message();
}

template <class Condition>
bool within(std::chrono::seconds most, const Condition& condition) {
  const auto until = std::chrono::steady_clock::now() + most;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

// As a process of the container does, whose image has no program for it.
bool connects_as_root_of(int process, const std::string& path) {
  const std::string places = "/proc/" + std::to_string(process) + "/ns/";
  const Fd user(::open((places + "user").c_str(), O_RDONLY | O_CLOEXEC));
  const Fd mounts(::open((places + "mnt").c_str(), O_RDONLY | O_CLOEXEC));
  const Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un at{};
  at.sun_family = AF_UNIX;
  std::memcpy(at.sun_path, path.c_str(), path.size());
  const pid_t child = ::fork();
  if (child == 0) {
    const bool inside = ::setns(user.get(), CLONE_NEWUSER) == 0 &&
                        ::setns(mounts.get(), CLONE_NEWNS) == 0 && ::setgid(0) == 0 &&
                        ::setuid(0) == 0;
    const auto* const where = reinterpret_cast<const sockaddr*>(&at);
    ::_exit(!inside ? 2 : ::connect(fd.get(), where, sizeof at) == 0 ? 0 : 1);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_NE(WEXITSTATUS(status), 2) << "the namespaces of the container could not be entered";
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

class LxdRuntime : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    why_not_ = PrivateLxd::why_not();
    if (!why_not_.empty()) return;
    auto lxd = PrivateLxd::start();
    ASSERT_TRUE(lxd.has_value()) << lxd.error().message();
    lxd_ = new PrivateLxd(std::move(*lxd));
    runtime_ = std::move(*open_lxd(lxd_->options())).release();
    image_file_ = lxd_->folder() + "/image.tar.gz";
    image_ = lxd_->make_image(image_file_, kInit);
  }
  static void TearDownTestSuite() {
    delete runtime_;
    delete lxd_;
  }
  void SetUp() override {
    if (!why_not_.empty()) GTEST_SKIP() << "no private LXD: " << why_not_;
    if (lxd_ == nullptr) FAIL() << "LXD was not set up";
    expect_fine(lxd().import_image(image_file_, image_));
  }
  void TearDown() override {
    if (lxd_ == nullptr) return;
    if (const auto all = lxd().list()) {
      for (const auto& one : *all)
        expect_fine(lxd().remove(one.name));
    }
    if (const auto all = lxd().volumes()) {
      for (const auto& one : *all)
        expect_fine(lxd().remove_volume(one));
    }
  }

  static Runtime& lxd() { return *runtime_; }
  static ContainerSpec spec(const std::string& name) {
    ContainerSpec spec;
    spec.name = name;
    spec.fingerprint = image_;
    spec.labels = {{"instance", name}, {"stage", "ready"}};
    return spec;
  }
  // With its volumes, running.
  static void run(const std::string& name) {
    ContainerSpec made = spec(name);
    made.volumes = {{name + "-p", "/persistent-data"}, {name + "-t", "/transient-data"}};
    expect_fine(lxd().make_volume(name + "-p", 8 << 20));
    expect_fine(lxd().make_volume(name + "-t", 8 << 20));
    expect_fine(lxd().create(made));
    expect_fine(lxd().start(name));
  }
  static State run_of(const std::string& name) {
    const auto found = lxd().find(name);
    return found && *found ? (*found)->run : State::other;
  }
  static Runtime::Executed sh(const std::string& name, const std::string& script,
                              unsigned seconds = 20) {
    auto done = lxd().execute(name, {"sh", "-c", script}, seconds);
    EXPECT_TRUE(done.has_value()) << done.error().message();
    return done ? *done : Runtime::Executed{-1, "", ""};
  }
  static std::string log_of(const std::string& name) {
    const auto log = lxd().log(name, 4096);
    return log ? *log : log.error().message();
  }

  inline static std::string why_not_, image_file_, image_;
  inline static PrivateLxd* lxd_ = nullptr;
  inline static Runtime* runtime_ = nullptr;
};

TEST_F(LxdRuntime, LivesFromCreationToRemovalAndEveryStepMayBeRepeated) {
  EXPECT_THAT(*lxd().version(), HasSubstr("LXD "));
  expect_fine(lxd().import_image(image_file_, image_));
  EXPECT_THAT(*lxd().images(), ElementsAre(image_));

  expect_fine(lxd().create(spec("t-0")));
  expect_fine(lxd().create(spec("t-0")));
  EXPECT_EQ(run_of("t-0"), State::stopped);
  expect_fine(lxd().stop("t-0", 1));
  expect_fine(lxd().start("t-0"));
  expect_fine(lxd().start("t-0"));
  const auto all = lxd().list();
  ASSERT_TRUE(all.has_value());
  ASSERT_EQ(all->size(), 1U);
  const ContainerState& state = all->front();
  EXPECT_EQ(state.name, "t-0");
  EXPECT_EQ(state.fingerprint, image_);
  EXPECT_EQ(state.run, State::running);
  EXPECT_TRUE(fs::exists("/proc/" + std::to_string(state.process)));
  EXPECT_THAT(state.labels, testing::IsSupersetOf(std::vector<std::pair<std::string, std::string>>{
                                {"instance", "t-0"}, {"stage", "ready"}}));
  EXPECT_GT(state.memory, 0U);
  EXPECT_GT(state.processes, 0U);

  EXPECT_FALSE(lxd().create(spec("t-0")).has_value()) << "it runs";
  EXPECT_FALSE(lxd().rename("t-0", "t-1").has_value()) << "it runs";
  EXPECT_TRUE(within(std::chrono::seconds(10), [] { return log_of("t-0") == "hello from 0\n"; }));
  expect_fine(lxd().stop("t-0", 10));
  EXPECT_EQ(log_of("t-0"), "hello from 0\nends as told\n") << "SIGTERM came first";
  expect_fine(lxd().rename("t-0", "t-0-old"));
  expect_fine(lxd().rename("t-0", "t-0-old"));
  EXPECT_FALSE((*lxd().find("t-0")).has_value());
  expect_fine(lxd().start("t-0-old"));
  expect_fine(lxd().remove("t-0-old"));
  expect_fine(lxd().remove("t-0-old"));
  EXPECT_THAT(*lxd().list(), IsEmpty());

  expect_fine(lxd().remove_image(image_));
  expect_fine(lxd().remove_image(image_));
  EXPECT_THAT(*lxd().images(), IsEmpty());
}

TEST_F(LxdRuntime, TheEndOfTheLogOutlivesTheInstrument) {
  run("t-0");
  sh("t-0", "touch /transient-data/die");
  EXPECT_TRUE(within(std::chrono::seconds(20), [] { return run_of("t-0") == State::stopped; }));
  EXPECT_EQ(log_of("t-0"), "hello from 0\nlast words\n");
  EXPECT_EQ(log_of("t-0"), "hello from 0\nlast words\n") << "to read it does not empty it";
}

TEST_F(LxdRuntime, ALogThatIsFloodedStaysBoundedAndKeepsItsEnd) {
  run("t-0");
  const auto all = "seq 1 30000 | while read n; do echo line $n of many; done > /proc/1/fd/1; ";
  sh("t-0", all + std::string("touch /transient-data/die"));
  EXPECT_TRUE(within(std::chrono::seconds(20), [] { return run_of("t-0") == State::stopped; }));
  EXPECT_EQ(*lxd().log("t-0", 40), "line 30000 of many\nlast words\n");
  EXPECT_LE(fs::file_size(lxd_->folder() + "/logs/t-0/console.log"), 256U << 10);
}

TEST_F(LxdRuntime, AnInstrumentCanWriteNowhereButIntoItsVolumesUpToTheirQuota) {
  run("t-0");
  EXPECT_THAT(sh("t-0", "touch /x").errors, HasSubstr("Read-only file system"));
  EXPECT_THAT(sh("t-0", "dd if=/dev/zero of=/persistent-data/f bs=1M count=20").errors,
              HasSubstr("quota exceeded"));
  EXPECT_THAT(sh("t-0", "dd if=/dev/zero of=/tmp/f bs=1M count=20").errors,
              HasSubstr("No space left"));
  EXPECT_EQ(
      sh("t-0", "cp /bin/busybox /tmp/b; rm -f /tmp/f; cp /bin/busybox /tmp/b; /tmp/b true").status,
      126)
      << "nothing there can be executed";
  const auto used = lxd().volume_used("t-0-p");
  ASSERT_TRUE(used.has_value()) << used.error().message();
  EXPECT_GT(*used, 6U << 20);
  EXPECT_LE(*used, 8U << 20);
  EXPECT_THAT(*lxd().volumes(), ElementsAre("t-0-p", "t-0-t"));
  const auto space = lxd().space();
  ASSERT_TRUE(space.has_value());
  EXPECT_GT(space->total, 900U << 20);
  EXPECT_GT(space->used, 6U << 20);

  expect_fine(lxd().make_volume("t-0-p", 8 << 20));
  expect_fine(lxd().make_volume("t-0-p", 30 << 20));
  EXPECT_EQ(sh("t-0", "dd if=/dev/zero of=/persistent-data/f bs=1M count=20").status, 0);
  EXPECT_FALSE(lxd().remove_volume("t-0-p").has_value()) << "it is in use";
}

TEST_F(LxdRuntime, AnInstrumentHasTheCapabilitiesDevicesAndLimitsThatItsSpecNames) {
  ContainerSpec made = spec("t-0");
  made.capabilities = {"net_raw"};
  made.memory = 32 << 20;
  made.processes = 20;
  made.cpu_percent = 20;
  expect_fine(lxd().create(made));
  expect_fine(lxd().start("t-0"));
  EXPECT_THAT(sh("t-0", "grep Cap /proc/self/status").output,
              testing::AllOf(HasSubstr("CapPrm:\t0000000000002000"),
                             HasSubstr("CapBnd:\t0000000000002000")));
  EXPECT_THAT(sh("t-0", "cat /proc/self/uid_map").output, Not(HasSubstr(" 0          0")));
  EXPECT_THAT(sh("t-0", "ls -la /dev/fuse /dev/net/tun").output,
              Not(testing::AnyOf(HasSubstr("10, 229"), HasSubstr("10, 200"))));
  EXPECT_NE(sh("t-0", "mknod /tmp/sda b 8 0").status, 0);
  EXPECT_NE(sh("t-0", "mount -t tmpfs x /tmp").status, 0);
  EXPECT_NE(sh("t-0", "echo 1 > /proc/sys/vm/drop_caches").status, 0);
  EXPECT_THAT(sh("t-0", "ls /sys/class/net").output, Not(HasSubstr("eth")));
  EXPECT_NE(sh("t-0", "dd if=/dev/zero of=/dev/null bs=60M count=1").status, 0) << "memory";
  EXPECT_EQ(run_of("t-0"), State::running);
  EXPECT_NE(sh("t-0", "for i in $(busybox seq 1 40); do sleep 2 & done; wait", 30).errors, "");
  const auto found = lxd().find("t-0");
  ASSERT_TRUE(found && *found);
  const std::string process = std::to_string((*found)->process);
  EXPECT_THAT(output_of("cat /sys/fs/cgroup/cpu$(grep -E ':cpu(,|:)' /proc/" + process +
                        "/cgroup | cut -d: -f3)/cpu.cfs_quota_us /sys/fs/cgroup$(grep ^0:: /proc/" +
                        process + "/cgroup | cut -d: -f3)/cpu.max 2>/dev/null"),
              testing::StartsWith("20000"));
}

TEST_F(LxdRuntime, TheRollbackCopyAndItsSuccessorShareAVolume) {
  run("t-0");
  sh("t-0", "echo kept > /persistent-data/f; dd if=/dev/zero of=/persistent-data/g bs=1M count=9");
  expect_fine(lxd().stop("t-0", 5));
  expect_fine(lxd().rename("t-0", "t-0-old"));
  run("t-0");
  EXPECT_EQ(sh("t-0", "cat /persistent-data/f; echo more >> /persistent-data/f").output, "kept\n");
  expect_fine(lxd().remove("t-0"));
  expect_fine(lxd().rename("t-0-old", "t-0"));
  expect_fine(lxd().start("t-0"));
  EXPECT_EQ(sh("t-0", "head -c 4 /persistent-data/f").output, "kept");
  run("t-1");
  EXPECT_NE(sh("t-1", "cat /proc/self/uid_map").output, sh("t-0", "cat /proc/self/uid_map").output)
      << "those without a common volume have ids of their own";
}

// LXD keeps a name busy for 30 s if its container gets another one while it is being stopped.
TEST_F(LxdRuntime, ANameIsFreeOnceTheContainerThatHadItIsRenamed) {
  const std::string curl = "curl -s --unix-socket " + lxd_->socket() + " http://lxd";
  for (int round = 0; round < 3; ++round) {
    run("t-0");
    sh("t-0", "touch /transient-data/die");  // it ends by itself while it is stopped
    expect_fine(lxd().stop("t-0", 5));
    expect_fine(lxd().rename("t-0", "t-0-old"));
    const std::string started = output_of(
        curl +
        R"(/1.0/instances -d '{"name":"t-0","profiles":["beaconry"],"source":{"type":"none"}}')");
    const auto at = started.find("/1.0/operations/");
    ASSERT_NE(at, std::string::npos) << started;
    const std::string operation = started.substr(at, started.find('"', at) - at);
    EXPECT_THAT(output_of(curl + operation + "/wait?timeout=60"), Not(HasSubstr("busy")));
    shell(curl + "/1.0/instances/t-0 -X DELETE >/dev/null");
    expect_fine(lxd().remove("t-0-old"));
    expect_fine(lxd().remove_volume("t-0-t"));
  }
}

// As beside one that a killed LXD left half made, without ids: LXD then counts them from 0.
TEST_F(LxdRuntime, AContainerWithIdsThatAreNotLxdsOwnIsNotKept) {
  expect_fine(lxd().create(spec("t-0")));
  shell("curl -s --unix-socket " + lxd_->socket() + " http://lxd/1.0/instances/t-0 -X PATCH -d " +
        R"('{"config":{"volatile.idmap.base":"0"}}' >/dev/null)");
  const auto made = lxd().create(spec("t-1"));
  ASSERT_FALSE(made.has_value());
  EXPECT_EQ(made.error().kind, ErrorKind::limit);
  EXPECT_FALSE((*lxd().find("t-1")).has_value());
  expect_fine(lxd().remove("t-0"));
  expect_fine(lxd().create(spec("t-1")));
  expect_fine(lxd().start("t-1"));
}

TEST_F(LxdRuntime, CommandsEndInTimeAndWithinBounds) {
  run("t-0");
  const auto fine = sh("t-0", "echo out; echo err >&2; exit 7");
  EXPECT_EQ(fine.status, 7);
  EXPECT_EQ(fine.output, "out\n");
  EXPECT_EQ(fine.errors, "err\n");

  const auto late = lxd().execute("t-0", {"sh", "-c", "sleep 1000 & sleep 1000"}, 1);
  ASSERT_FALSE(late.has_value());
  EXPECT_THAT(late.error().message(), HasSubstr("longer than 1 s"));
  EXPECT_THAT(sh("t-0", "ps").output, Not(HasSubstr("sleep 1000")));

  const auto much = sh("t-0", "yes", 60);
  EXPECT_EQ(much.output.size(), 1U << 20);
  EXPECT_THAT(much.errors, HasSubstr("more than 1 MiB"));

  EXPECT_EQ(sh("t-0", "no-such-program").status, 127);
  EXPECT_EQ(lxd().execute("t-0", {"no-such-program"}, 5)->status, 127);
  EXPECT_FALSE(lxd().execute("t-1", {"true"}, 5).has_value());
  expect_fine(lxd().stop("t-0", 5));
  EXPECT_FALSE(lxd().execute("t-0", {"true"}, 5).has_value());
  for (const auto& file : fs::directory_iterator(lxd_->folder() + "/logs/t-0"))
    EXPECT_THAT(file.path().filename().string(), Not(testing::StartsWith("exec_")));
}

TEST_F(LxdRuntime, FilesArePulledWholeOrNotAtAll) {
  run("t-0");
  sh("t-0",
     "dd if=/dev/urandom of=/transient-data/f bs=1M count=3; mkdir /transient-data/d; "
     "ln -s /etc /transient-data/l; busybox mkfifo /transient-data/p");
  const std::string to = lxd_->folder() + "/pulled";
  expect_fine(lxd().pull("t-0", "/transient-data/f", to, 3 << 20));
  EXPECT_EQ(fs::file_size(to), 3U << 20);
  EXPECT_EQ(output_of("sha256sum < " + to).substr(0, 64),
            sh("t-0", "busybox sha256sum < /transient-data/f").output.substr(0, 64));
  fs::remove(to);
  const auto longer = lxd().pull("t-0", "/transient-data/f", to, (3 << 20) - 1);
  ASSERT_FALSE(longer.has_value());
  EXPECT_THAT(longer.error().message(), HasSubstr("longer than 3,145,727 bytes"));
  for (const char* other : {"/transient-data/d", "/transient-data/l", "/transient-data/none"})
    EXPECT_FALSE(lxd().pull("t-0", other, to, 3 << 20).has_value()) << other;
  EXPECT_FALSE(fs::exists(to));
  EXPECT_FALSE(fs::exists(to + ".part"));
}

TEST_F(LxdRuntime, SharedFoldersAreReadableOrHoldASocketToConnectTo) {
  const std::string shared = lxd_->folder() + "/shared";
  fs::create_directories(shared + "/read");
  fs::create_directories(shared + "/bus");
  ::chmod(shared.c_str(), 0700);
  std::ofstream(shared + "/read/f") << "words";
  const Fd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un at{};
  at.sun_family = AF_UNIX;
  const std::string path = shared + "/bus/bus.sock";
  std::memcpy(at.sun_path, path.c_str(), path.size());
  ASSERT_EQ(::bind(listener.get(), reinterpret_cast<sockaddr*>(&at), sizeof at), 0);
  ASSERT_EQ(::listen(listener.get(), 5), 0);
  ::chmod(path.c_str(), 0666);
  ContainerSpec made = spec("t-0");
  made.folders = {{shared + "/read", "/resources", false}, {shared + "/bus", "/run/bus", true}};
  expect_fine(lxd().create(made));
  expect_fine(lxd().start("t-0"));
  EXPECT_EQ(sh("t-0", "cat /resources/f").output, "words");
  EXPECT_NE(sh("t-0", "echo x > /resources/g").status, 0);
  EXPECT_NE(sh("t-0", "echo x > /run/bus/g").status, 0) << "the folder is the host's";
  EXPECT_TRUE(connects_as_root_of((**lxd().find("t-0")).process, "/run/bus/bus.sock"));
  EXPECT_FALSE(connects_as_root_of((**lxd().find("t-0")).process, "/resources/bus.sock"));
}

TEST_F(LxdRuntime, NoSocketCanBeOpenedThatSendsPastAContract) {
  const std::string folder = lxd_->folder() + "/xdp";
  fs::create_directories(folder);
  fs::copy_file(OPEN_XDP, folder + "/open_xdp", fs::copy_options::overwrite_existing);
  fs::permissions(folder + "/open_xdp", fs::perms(0755));
  ContainerSpec made = spec("t-0");
  made.capabilities = {"net_raw"};
  made.folders = {{folder, "/resources", false}};
  expect_fine(lxd().create(made));
  expect_fine(lxd().start("t-0"));
  EXPECT_EQ(sh("t-0", "/resources/open_xdp").output, "Function not implemented\n");
}

TEST_F(LxdRuntime, InterfacesMoveInAndOut) {
  shell("ip link del bcylxd0 2>/dev/null");
  ASSERT_EQ(shell("ip link add bcylxd0 type veth peer name bcylxd1"), 0);
  expect_fine(lxd().create(spec("t-0")));
  expect_fine(lxd().set_nics("t-0", {{"bcylxd1", "mon0"}}));
  expect_fine(lxd().set_nics("t-0", {{"bcylxd1", "mon0"}}));
  expect_fine(lxd().start("t-0"));
  EXPECT_EQ(sh("t-0", "ls /sys/class/net").output, "lo\nmon0\n");
  EXPECT_FALSE(lxd().set_nics("t-0", {}).has_value()) << "it runs";
  expect_fine(lxd().stop("t-0", 5));
  expect_fine(lxd().set_nics("t-0", {}));
  expect_fine(lxd().start("t-0"));
  EXPECT_EQ(sh("t-0", "ls /sys/class/net").output, "lo\n");
  shell("ip link del bcylxd0 2>/dev/null");
}

TEST_F(LxdRuntime, WhatIsNotOursIsNeitherListedNorTouched) {
  const std::string curl = "curl -s --unix-socket " + lxd_->socket() + " http://lxd/1.0/";
  const std::string made = R"({"name":"theirs","source":{"type":"image","fingerprint":")" + image_ +
                           R"("},"profiles":["beaconry"]})";
  shell(curl + "instances -d '" + made + "' >/dev/null");
  shell(curl + R"(storage-pools/beaconry/volumes/custom -d '{"name":"theirs"}' >/dev/null)");
  ASSERT_TRUE(within(std::chrono::seconds(20), [&] {
    return output_of(curl + "instances/theirs").find("\"Stopped\"") != std::string::npos;
  }));
  EXPECT_THAT(*lxd().list(), IsEmpty());
  EXPECT_THAT(*lxd().volumes(), IsEmpty());
  EXPECT_FALSE((*lxd().find("theirs")).has_value());
  EXPECT_FALSE(lxd().create(spec("theirs")).has_value());
  EXPECT_FALSE(lxd().start("theirs").has_value());
  EXPECT_FALSE(lxd().rename("theirs", "ours").has_value());
  EXPECT_FALSE(lxd().make_volume("theirs", 1 << 20).has_value());
  EXPECT_FALSE(lxd().remove_volume("theirs").has_value());
  const auto removed = lxd().remove("theirs");
  ASSERT_FALSE(removed.has_value());
  EXPECT_THAT(removed.error().message(), HasSubstr("not ours"));
  EXPECT_THAT(output_of(curl + "instances/theirs"), HasSubstr("\"Stopped\""));
  shell(curl + "instances/theirs -X DELETE >/dev/null");
  shell(curl + "storage-pools/beaconry/volumes/custom/theirs -X DELETE >/dev/null");
}

TEST_F(LxdRuntime, ErrorsSayWhatIsWrong) {
  ContainerSpec made = spec("t-0");
  made.fingerprint = std::string(64, 'a');
  EXPECT_THAT(lxd().create(made).error().message(), HasSubstr("create container t-0: "));
  made = spec("t-0");
  made.folders = {{"/no/such/folder", "/resources", false}};
  const auto missing = lxd().create(made);
  EXPECT_THAT(missing ? lxd().start("t-0").error().message() : missing.error().message(),
              HasSubstr("/no/such/folder"));
  made = spec("t-0");
  made.capabilities = {"net_raw\nlxc.cap.keep = sys_admin"};
  EXPECT_THAT(lxd().create(made).error().message(), HasSubstr("capability"));
  EXPECT_FALSE(lxd().start("../images").has_value());
  EXPECT_FALSE(lxd().make_volume("a/b", 1).has_value());
  const std::string file = lxd_->folder() + "/text";
  std::ofstream(file) << "no image";
  EXPECT_FALSE(lxd().import_image(file, std::string(64, 'b')).has_value());
}

// The next two come last, as the daemon is another after them.
TEST_F(LxdRuntime, WhatAKilledDaemonLeftHalfMadeIsMadeAnew) {
  const char* const number = std::getenv("BEACONRY_CRASH_POINTS");
  const int points = number == nullptr ? 1 : std::atoi(number);
  ContainerSpec made = spec("t-0");
  made.volumes = {{"t-0-p", "/persistent-data"}};
  const auto update = [&] {  // as far as it comes
    (void)(lxd().import_image(image_file_, image_) && lxd().make_volume("t-0-p", 8 << 20) &&
           lxd().create(made) && lxd().start("t-0") && lxd().stop("t-0", 5) &&
           lxd().rename("t-0", "t-0-old") && lxd().create(made) && lxd().start("t-0") &&
           lxd().remove("t-0") && lxd().remove("t-0-old") && lxd().remove_image(image_));
  };
  SetupOptions options;
  options.lxd = lxd_->options();
  for (int point = 0; point < points; ++point) {
    const std::chrono::milliseconds after{(point * 397 + 60) % 900};
    std::thread updates(update);
    std::this_thread::sleep_for(after);
    lxd_->crash();
    updates.join();
    expect_fine(set_up(options));
    SCOPED_TRACE("killed after " + std::to_string(after.count()) + " ms");
    expect_fine(lxd().remove("t-0"));
    expect_fine(lxd().remove("t-0-old"));
    expect_fine(lxd().import_image(image_file_, image_));
    expect_fine(lxd().make_volume("t-0-p", 8 << 20));
    expect_fine(lxd().create(made));
    expect_fine(lxd().start("t-0"));
    expect_fine(lxd().remove("t-0"));
  }
}

TEST_F(LxdRuntime, ContainersOutliveADaemonThatIsKilledAndSetupStartsItAgain) {
  run("t-0");
  const int process = (**lxd().find("t-0")).process;
  std::thread asks([] { (void)lxd().execute("t-0", {"sleep", "5"}, 20).has_value(); });
  lxd_->crash();
  asks.join();
  EXPECT_THAT(lxd().version().error().message(), HasSubstr("sensor setup"));
  EXPECT_FALSE(lxd().list().has_value());
  EXPECT_FALSE(lxd().start("t-0").has_value());
  EXPECT_TRUE(fs::exists("/proc/" + std::to_string(process)));

  SetupOptions options;
  options.lxd = lxd_->options();
  options.change = false;
  const auto state_of = [&](const char* what) {
    const auto steps = set_up(options);
    for (const auto& step : *steps) {
      if (step.what.starts_with(what)) return step.state;
    }
    return SetupStep::State::missing;
  };
  EXPECT_EQ(state_of("runtime"), SetupStep::State::missing);
  options.change = true;
  EXPECT_EQ(state_of("runtime"), SetupStep::State::made);
  EXPECT_EQ(state_of("runtime"), SetupStep::State::there);
  EXPECT_EQ(state_of("storage pool"), SetupStep::State::there);
  EXPECT_EQ(state_of("profile"), SetupStep::State::there);
  EXPECT_EQ(state_of("no image updates"), SetupStep::State::there);
  const auto found = lxd().find("t-0");
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->run, State::running);
  EXPECT_EQ((*found)->process, process);
  expect_fine(lxd().stop("t-0", 5));
  EXPECT_THAT(log_of("t-0"), HasSubstr("ends as told"));
}

}  // namespace
}  // namespace beaconry
