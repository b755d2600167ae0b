#include "sensor/runtime.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

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
echo "hello from $(id -u)" trap 'echo "ends as told"; exit 0' TERM PWR while:;
do
  sleep 0.1 & wait $ ![-e / transient - data / die]&& {
    printf '\033[31mlast words\033[0m\n';
    exit 3;
  }
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
    EXPECT_TRUE(log.has_value()) << log.error().message();
    return log ? *log : "";
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

}  // namespace
}  // namespace beaconry
