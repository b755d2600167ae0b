#include "sdk/child.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <thread>

namespace beaconry::sdk {
namespace {

using namespace std::chrono_literals;

class ChildTest : public testing::Test {
 protected:
  static Child::Options shell(const std::string& script) {
    Child::Options options;
    options.command = {"/bin/sh", "-c", script};
    options.first_delay = 10ms;
    options.longest_delay = 40ms;
    options.patience = 200ms;
    return options;
  }
  Child::OnLine keep() {
    return [this](std::string_view line) { lines_.emplace_back(line); };
  }
  template <class IsSo>
  static bool until(Child& child, const IsSo& is_so) {
    const auto deadline = Child::Clock::now() + 60s;
    while (Child::Clock::now() < deadline) {
      child.work();
      if (is_so()) return true;
      std::this_thread::sleep_for(1ms);
    }
    return false;
  }

  std::vector<std::string> lines_;
};

TEST_F(ChildTest, ItsLinesAreReadOfBothOutputsAndTheLastWithoutAnEnd) {
  auto options = shell("echo one; echo two >&2; echo; printf $WORD; exit 3");
  options.environment = {"WORD=three"};
  options.restart = false;
  Child child(options, keep());
  ASSERT_TRUE(child.start());
  ASSERT_TRUE(until(child, [&] { return !child.is_running(); }));
  EXPECT_EQ(lines_, (std::vector<std::string>{"one", "two", "three"}));
  EXPECT_EQ(child.last_end(), "status 3");
  EXPECT_EQ(child.last_lines().size(), 3U);
  EXPECT_EQ(child.restarts(), 0U);
}

TEST_F(ChildTest, GetsItsWholeInputHoweverLongAndAgainAtEachStart) {
  auto options = shell("wc -c");
  options.input.assign(200'000, 's');
  Child child(options, keep());
  ASSERT_TRUE(child.start());
  ASSERT_TRUE(until(child, [&] { return lines_.size() == 2; }));
  EXPECT_EQ(lines_, (std::vector<std::string>{"200000", "200000"}));
}

TEST_F(ChildTest, IsStartedAgainAndWaitsLongerEachTime) {
  Child child(shell("exit 1"), keep());
  auto now = Child::Clock::now();
  ASSERT_TRUE(child.start(now));
  std::vector<std::chrono::milliseconds> delays;
  for (std::uint64_t round = 0; round < 4; ++round) {
    const auto deadline = Child::Clock::now() + 60s;
    while (child.is_running() && Child::Clock::now() < deadline)
      child.work(now);
    ASSERT_FALSE(child.is_running());
    const auto ended = now;
    while (child.restarts() == round)
      child.work(now += 1ms);
    delays.push_back(std::chrono::duration_cast<std::chrono::milliseconds>(now - ended));
  }
  EXPECT_EQ(delays, (std::vector<std::chrono::milliseconds>{10ms, 20ms, 40ms, 40ms}));
}

TEST_F(ChildTest, StopEndsOneThatDoesNotWantToWithItsChildren) {
  Child child(shell("trap '' TERM; sleep 1000 & echo $!; while :; do sleep 1; done"), keep());
  ASSERT_TRUE(child.start());
  ASSERT_TRUE(until(child, [&] { return !lines_.empty(); }));
  const int grandchild = std::stoi(lines_[0]);
  child.stop();
  EXPECT_FALSE(child.is_running());
  EXPECT_EQ(child.last_end(), "signal 9");
  EXPECT_TRUE(until(child, [&] {
    // Gone, or a zombie that nobody waits for.
    std::string state;
    if (FILE* file = std::fopen(("/proc/" + std::to_string(grandchild) + "/stat").c_str(), "r")) {
      char line[256] = {};
      state = std::fgets(line, sizeof line, file) == nullptr ? "" : line;
      std::fclose(file);
    }
    return state.empty() || state.find(") Z ") != std::string::npos;
  }));
  EXPECT_EQ(child.restarts(), 0U);
}

TEST_F(ChildTest, AProgramThatIsNotThereIsAnErrorAndTriedAgain) {
  Child child([] {
    auto options = shell("");
    options.command = {"/nonexistent/program"};
    return options;
  }());
  const auto started = child.start();
  ASSERT_FALSE(started);
  EXPECT_NE(started.error().message().find("/nonexistent/program"), std::string::npos);
  EXPECT_TRUE(until(child, [&] { return child.restarts() >= 2; }));
  ASSERT_TRUE(child.restart({"/bin/sh", "-c", "sleep 1000"}));
  EXPECT_TRUE(child.is_running());
}

TEST_F(ChildTest, EndlessLinesAreCutAndCounted) {
  auto options = shell("head -c 100000 /dev/zero | tr '\\0' x; echo; echo short");
  options.longest_line = 100;
  options.restart = false;
  Child child(options, keep());
  ASSERT_TRUE(child.start());
  ASSERT_TRUE(until(child, [&] { return !child.is_running(); }));
  EXPECT_EQ(lines_, (std::vector<std::string>{std::string(100, 'x'), "short"}));
  EXPECT_EQ(child.cut_lines(), 1U);
}

TEST_F(ChildTest, HearsSignalsThatItsParentHoldsBack) {
  sigset_t held, before;
  ::sigemptyset(&held);
  ::sigaddset(&held, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &held, &before);
  auto options = shell("trap 'echo asked; exit 0' TERM; echo ready; while :; do sleep 0.01; done");
  options.patience = 60s;
  Child child(options, keep());
  ASSERT_TRUE(child.start());
  ASSERT_TRUE(until(child, [&] { return !lines_.empty(); }));
  child.stop();
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  EXPECT_EQ(lines_.back(), "asked");
  EXPECT_EQ(child.last_end(), "status 0");
}

}  // namespace
}  // namespace beaconry::sdk
