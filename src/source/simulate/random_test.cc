#include "source/simulate/random.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <vector>

#include "source/simulate/sleep_model.h"

namespace beaconry::simulate {
namespace {

TEST(Random, GivesTheSameNumbersOnEveryMachine) {
  Random random(1);
  EXPECT_EQ(random.next(), 12966619160104079557ULL);
  Random forked = Random(1).fork(2);
  Random again = Random(1).fork(2);
  EXPECT_EQ(forked.next(), again.next());
  EXPECT_NE(Random(1).fork(3).next(), Random(1).fork(2).next());
}

TEST(Random, KeepsItsDistributionsMeans) {
  Random random(3);
  double exponential = 0, normal = 0;
  int heads = 0;
  constexpr int kDraws = 100'000;
  for (int i = 0; i < kDraws; ++i) {
    exponential += random.exponential(5);
    normal += random.normal(2, 3);
    heads += random.chance(0.3) ? 1 : 0;
  }
  EXPECT_NEAR(exponential / kDraws, 5, 0.1);
  EXPECT_NEAR(normal / kDraws, 2, 0.05);
  EXPECT_NEAR(static_cast<double>(heads) / kDraws, 0.3, 0.01);
}

RC_GTEST_PROP(Random, StaysWithinItsBounds, (std::uint64_t seed, std::uint16_t bound)) {
  Random random(seed);
  for (int i = 0; i < 20; ++i) {
    RC_ASSERT(random.uniform() < 1);
    RC_ASSERT(random.uniform() >= 0);
    RC_ASSERT(random.below(bound) < std::max<std::uint64_t>(bound, 1));
    RC_ASSERT(random.zipf(std::size_t{bound} + 1, 0.9) <= bound);
    const double tail = random.pareto(2, 1.1, 50);
    RC_ASSERT(tail >= 2 && tail <= 50);
  }
}

RC_GTEST_PROP(Sleeper, WakesWithinTheModelsBounds, (std::uint64_t seed)) {
  constexpr SleepKind kKinds[] = {
      SleepKind::fixed,  SleepKind::cobalt_strike, SleepKind::sliver, SleepKind::havoc,
      SleepKind::around, SleepKind::alternating,   SleepKind::flat,   SleepKind::clock_locked};
  const auto kind = kKinds[*rc::gen::inRange(0, 8)];
  const SleepModel model{kind, *rc::gen::inRange(2, 20000) * 1.0,
                         *rc::gen::inRange(0, 101) / 100.0};
  Sleeper sleeper(model, Random(seed));
  const auto [least, most] = model.bounds();
  Timestamp now = sleeper.wake(Timestamp{std::chrono::hours{500'000}});
  for (int i = 0; i < 50; ++i) {
    const Timestamp next = sleeper.wake(now);
    const double slept = to_seconds(next - now);
    RC_ASSERT(slept >= std::max(least, 0.001) - 1e-5);
    RC_ASSERT(slept <= std::max(most, 0.001) + 1e-5);
    now = next;
  }
}

TEST(Sleeper, FillsItsBoundsEvenly) {
  Sleeper sleeper({SleepKind::cobalt_strike, 100, 0.4}, Random(9));
  Timestamp now{};
  int low = 0;
  for (int i = 0; i < 4000; ++i) {
    const Timestamp next = sleeper.wake(now);
    low += to_seconds(next - now) < 80 ? 1 : 0;
    now = next;
  }
  EXPECT_NEAR(low / 4000.0, 0.5, 0.04);
}

}  // namespace
}  // namespace beaconry::simulate
