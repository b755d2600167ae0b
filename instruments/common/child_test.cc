#include "common/child.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>

#include <string>
#include <vector>

namespace beaconry {
namespace {

using namespace std::chrono_literals;

std::vector<std::string> lines_until_its_end(Child& child) {
  std::vector<std::string> lines;
  const auto until = std::chrono::steady_clock::now() + 60s;
  do {
    child.work([&](std::string_view line) { lines.emplace_back(line); });
    ::poll(nullptr, 0, 5);
  } while (child.is_running() && std::chrono::steady_clock::now() < until);
  child.work([&](std::string_view line) { lines.emplace_back(line); });
  return lines;
}

TEST(Child, gets_its_input_and_gives_its_output_by_lines) {
  const std::string secret(200'000, 's');
  auto child =
      Child::start({{"/bin/sh", "-c", "wc -c; echo two >&2; printf three; exit 3"}, secret});
  ASSERT_TRUE(child) << child.error().message();
  EXPECT_EQ(lines_until_its_end(**child), (std::vector<std::string>{"200000", "two", "three"}));
  EXPECT_EQ((*child)->how_it_ended(), "ended with status 3");
}

TEST(Child, long_lines_are_cut_and_what_follows_is_not) {
  auto child = Child::start({{"/bin/sh", "-c", "printf '%09000d\\nshort\\n' 7"}, "", 100});
  ASSERT_TRUE(child);
  const auto lines = lines_until_its_end(**child);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0], std::string(100, '0'));
  EXPECT_EQ(lines[1], "short");
}

TEST(Child, is_ended_even_if_it_ignores_the_signal) {
  auto child =
      Child::start({{"/bin/sh", "-c", "trap '' TERM; echo up; while :; do sleep 1; done"}});
  ASSERT_TRUE(child);
  bool up = false;
  const auto until = std::chrono::steady_clock::now() + 60s;
  while (!up && std::chrono::steady_clock::now() < until)
    (*child)->work([&](std::string_view line) { up = line == "up"; });
  (*child)->end(50ms);
  EXPECT_FALSE((*child)->is_running());
  EXPECT_EQ((*child)->how_it_ended(), "was killed by signal 9");
}

TEST(Child, a_program_that_is_not_there_is_an_error_with_its_name) {
  const auto child = Child::start({{"/no/such/program"}});
  ASSERT_FALSE(child);
  EXPECT_NE(child.error().message().find("/no/such/program"), std::string::npos);
}

TEST(Backoff, pauses_grow_to_a_minute_and_begin_anew_after_a_long_run) {
  Backoff backoff;
  Backoff::Clock::time_point now{1h};
  EXPECT_TRUE(backoff.is_due(now));
  for (const auto pause : {1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s}) {
    backoff.started(now);
    backoff.ended(now);
    EXPECT_FALSE(backoff.is_due(now + pause - 1ms));
    EXPECT_TRUE(backoff.is_due(now + pause));
    now += pause;
  }
  backoff.started(now);
  backoff.ended(now + 61s);
  EXPECT_TRUE(backoff.is_due(now + 62s));
}

}  // namespace
}  // namespace beaconry
