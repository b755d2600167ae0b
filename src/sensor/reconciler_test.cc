#include "sensor/reconciler.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <stdlib.h>

#include <atomic>
#include <filesystem>
#include <memory>

#include "base/text.h"
#include "sensor/test_parts.h"

namespace beaconry {
namespace {

constexpr Timestamp kBegin{std::chrono::seconds{1'790'000'000}};
constexpr auto kClockStep = std::chrono::hours{5};

// One worker, and a clock that only goes when a test lets it: each turn ends when all jobs have.
class ReconcilerTest : public testing::Test {
 protected:
  ReconcilerTest() {
    char path[] = "/tmp/beaconry_reconciler_XXXXXX";
    folder_ = ::mkdtemp(path);
    EXPECT_TRUE(mailbox_.open());
    std::vector<std::string> problems;
    auto images =
        ImageFolder::open({folder_ + "/images", folder_ + "/keys",
                           [](const std::string& file, const std::string&) -> Result<ImageInfo> {
                             return fail(ErrorKind::malformed, "read", file, "it is no image");
                           }},
                          problems);
    EXPECT_TRUE(images);
    images_ = std::make_unique<ImageFolder>(std::move(*images));
    ImageInfo image;
    image.fingerprint = "good";
    image.signed_by = "key";
    image.manifest.name = "beacon";
    image.manifest.limits.persistent = 1 << 20;
    images_->add(image);
    runtime_.before = [this](const std::string& call, const std::string& name) -> Result<void> {
      ++calls_;
      if (call != "start" || ++starts_ > 1 || !sets_clock_) return {};
      now_ = now_.load() + kClockStep;
      return fail(ErrorKind::limit, call, name, "it is busy");
    };
    workers_ = std::make_unique<Workers>(1, mailbox_);
    reconciler_ = std::make_unique<Reconciler>(
        Reconciler::Options{folder_, 5, [this] { return now_.load(); }},
        Reconciler::Parts{runtime_, network_, services_, *workers_, *images_});
  }
  ~ReconcilerTest() override {
    workers_.reset();
    std::filesystem::remove_all(folder_);
  }

  void wish(const std::string& source = "") {
    DesiredState desired;
    InstanceWish& one = desired.instances["beacon_0"];
    one.name = "beacon_0";
    one.image = "good";
    one.running = true;
    one.source = source;
    reconciler_->take_wishes(desired, "anna", "cli");
  }
  // Opens letters before the reconciler looks at the clock again, as the sensor's loop does. Every
  // job asks the runtime: once none did between two jobs of our own, there is none left.
  void turn() {
    reconciler_->work();
    for (int before = -1; before != calls_;) {
      before = calls_;
      bool done = false;
      workers_->submit([&done]() -> std::function<void()> { return [&done] { done = true; }; },
                       [&done](const std::string&) { done = true; });
      while (!done) {
        pollfd wait{mailbox_.descriptor(), POLLIN, 0};
        ::poll(&wait, 1, -1);
        mailbox_.work();
      }
    }
  }
  InstanceReport report() {
    SensorReport all;
    reconciler_->fill(all);
    return all.instances.empty() ? InstanceReport{} : all.instances.front();
  }
  // Within ten seconds, but for what a job sets the clock by.
  bool turn_until(InstanceState state) {
    for (int turns = 0; turns < 20; ++turns) {
      turn();
      if (report().state == state) return true;
      now_ = now_.load() + std::chrono::milliseconds{500};
    }
    return false;
  }

  std::string folder_;
  std::atomic<Timestamp> now_{kBegin};
  std::atomic<int> calls_{0}, starts_{0};  // of the runtime
  std::atomic<bool> sets_clock_{false};    // during the first start, which fails
  Mailbox mailbox_;
  test::FakeRuntime runtime_;
  test::FakeNetwork network_;
  test::FakeServices services_{Services::Options{}};
  std::unique_ptr<ImageFolder> images_;
  std::unique_ptr<Workers> workers_;
  std::unique_ptr<Reconciler> reconciler_;
};

TEST_F(ReconcilerTest, AClockThatIsSetDuringAJobMovesNoDeadlineTwice) {
  sets_clock_ = true;
  wish();
  ASSERT_TRUE(turn_until(InstanceState::errored));
  ASSERT_EQ(starts_, 1);
  EXPECT_TRUE(turn_until(InstanceState::running));
  EXPECT_EQ(starts_, 2);
}

TEST_F(ReconcilerTest, AClockThatIsSetBeforeAWishIsTakenDoesNotMoveWhatTheWishSets) {
  wish("/etc/beaconry/sensor.d/beacon.yaml");
  ASSERT_TRUE(turn_until(InstanceState::running));
  now_ = now_.load() + kClockStep;
  const std::string kept_until = to_rfc3339(now_.load() + std::chrono::hours{24});
  reconciler_->take_wishes({}, "", "file");
  ASSERT_TRUE(turn_until(InstanceState::created));
  EXPECT_NE(report().cause.find(kept_until), std::string::npos) << report().cause;
}

}  // namespace
}  // namespace beaconry
