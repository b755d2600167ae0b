#include "alert/alert_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <mutex>
#include <set>
#include <thread>

#include "alert/test_alert.h"

namespace beaconry {
namespace {

// What a sink was given; it fails while `broken`.
struct Taken {
  std::mutex mutex;
  std::vector<std::string> ids;
  std::atomic<bool> broken{false};
  std::atomic<int> tries{0};

  std::vector<std::string> all() {
    const std::lock_guard lock(mutex);
    return ids;
  }
};

class RecordingSink : public Sink {
 public:
  explicit RecordingSink(Taken& taken) : taken_(taken) {}
  Result<void> deliver(const Alert& alert) override {
    ++taken_.tries;
    if (taken_.broken) return fail(ErrorKind::io, "post to", "test", "it is broken");
    if (alert.title == "hopeless") return fail(ErrorKind::malformed, "post to", "test", "never");
    const std::lock_guard lock(taken_.mutex);
    taken_.ids.push_back(alert.id);
    return {};
  }

 private:
  Taken& taken_;
};

bool eventually(const std::function<bool()>& condition) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{30};
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds{2});
  }
  return true;
}

class AlertQueueTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "alert_queue." + std::to_string(::getpid());
    std::filesystem::remove_all(folder_);
  }
  void TearDown() override {
    queue_.reset();
    std::filesystem::remove_all(folder_);
  }
  void open(std::size_t queue_size = 1000) {
    queue_.reset();
    AlertQueue::Options options;
    options.folder = folder_;
    options.queue_size = queue_size;
    auto queue = AlertQueue::open(options, [] { return Timestamp{std::chrono::hours{1}}; });
    ASSERT_TRUE(queue) << queue.error().message();
    queue_ = std::move(*queue);
  }
  void set_sinks(const std::vector<std::pair<std::string, Taken*>>& taken) {
    NamedSinks sinks;
    for (const auto& [name, to] : taken)
      sinks.emplace_back(name, std::make_unique<RecordingSink>(*to));
    queue_->set_sinks(std::move(sinks));
  }
  void push(int first, int last) {
    for (int i = first; i <= last; ++i)
      ASSERT_TRUE(queue_->push(test_alert("alert-" + std::to_string(i))));
  }
  static std::vector<std::string> ids(int first, int last) {
    std::vector<std::string> all;
    for (int i = first; i <= last; ++i)
      all.push_back("alert-" + std::to_string(i));
    return all;
  }

  std::string folder_;
  std::unique_ptr<AlertQueue> queue_;
};

TEST_F(AlertQueueTest, DeliversToEverySinkInOrder) {
  Taken file, webhook;
  open();
  set_sinks({{"file", &file}, {"webhook", &webhook}});
  push(1, 50);
  EXPECT_TRUE(eventually([&] { return file.all() == ids(1, 50); }));
  EXPECT_TRUE(eventually([&] { return webhook.all() == ids(1, 50); }));
  EXPECT_TRUE(eventually([&] { return queue_->fill_percent() == 0; }));
}

TEST_F(AlertQueueTest, ADeadSinkDelaysNoOtherAndShowsItsBacklog) {
  Taken file, webhook;
  webhook.broken = true;
  open(100);
  set_sinks({{"file", &file}, {"webhook", &webhook}});
  push(1, 50);
  EXPECT_TRUE(eventually([&] { return file.all() == ids(1, 50); }));
  EXPECT_TRUE(eventually([&] { return webhook.tries > 0 && queue_->sinks()[1].failed_tries > 0; }));
  EXPECT_EQ(queue_->fill_percent(), 50);
  EXPECT_EQ(queue_->sinks()[1].waiting, 50U);
  EXPECT_NE(queue_->sinks()[1].last_error.find("it is broken"), std::string::npos);
  EXPECT_EQ(queue_->drops(), 0U);
}

TEST_F(AlertQueueTest, ASinkThatRecoversGetsEverything) {
  Taken webhook;
  webhook.broken = true;
  open();
  set_sinks({{"webhook", &webhook}});
  push(1, 20);
  EXPECT_TRUE(eventually([&] { return webhook.tries > 0; }));
  webhook.broken = false;
  EXPECT_TRUE(eventually([&] { return webhook.all() == ids(1, 20); }));
}

TEST_F(AlertQueueTest, WhatWaitsSurvivesARestart) {
  Taken webhook, later;
  webhook.broken = true;
  open();
  set_sinks({{"webhook", &webhook}});
  push(1, 20);
  open();
  set_sinks({{"webhook", &later}});
  EXPECT_TRUE(eventually([&] { return later.all() == ids(1, 20); }));
}

TEST_F(AlertQueueTest, ARestartRepeatsNothingThatWasDelivered) {
  Taken first, second;
  open();
  set_sinks({{"file", &first}});
  push(1, 20);
  ASSERT_TRUE(eventually([&] { return queue_->fill_percent() == 0; }));
  open();
  set_sinks({{"file", &second}});
  push(21, 25);
  EXPECT_TRUE(eventually([&] { return second.all() == ids(21, 25); }));
}

TEST_F(AlertQueueTest, ANewSinkBeginsWithTheNextAlert) {
  Taken file, webhook;
  open();
  set_sinks({{"file", &file}});
  push(1, 5);
  ASSERT_TRUE(eventually([&] { return file.all() == ids(1, 5); }));
  set_sinks({{"file", &file}, {"webhook", &webhook}});
  push(6, 8);
  EXPECT_TRUE(eventually([&] { return webhook.all() == ids(6, 8); }));
  EXPECT_TRUE(eventually([&] { return file.all() == ids(1, 8); }));
}

TEST_F(AlertQueueTest, WhatASinkWillNeverTakeIsSetAsideAndCounted) {
  Taken webhook;
  open();
  set_sinks({{"webhook", &webhook}});
  Alert hopeless = test_alert("alert-0");
  hopeless.title = "hopeless";
  ASSERT_TRUE(queue_->push(hopeless));
  push(1, 1);
  EXPECT_TRUE(eventually([&] { return webhook.all() == ids(1, 1); }));
  EXPECT_TRUE(eventually([&] { return queue_->sinks()[0].undeliverable == 1; }));
}

TEST_F(AlertQueueTest, PastItsSizeNothingIsLost) {
  Taken webhook;
  webhook.broken = true;
  open(10);
  set_sinks({{"webhook", &webhook}});
  push(1, 40);
  EXPECT_EQ(queue_->fill_percent(), 400);
  webhook.broken = false;
  EXPECT_TRUE(eventually([&] { return webhook.all() == ids(1, 40); }));
  EXPECT_EQ(queue_->drops(), 0U);
}

}  // namespace
}  // namespace beaconry
