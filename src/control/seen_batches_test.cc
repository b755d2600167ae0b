#include "control/seen_batches.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>
#include <thread>

namespace beaconry {
namespace {

BatchIdentity batch(std::uint64_t sequence, std::string stream = "edge/incarnation") {
  return {std::move(stream), sequence, {}};
}

TEST(SeenBatches, ABatchCountsOnceItWasAcceptedAndNotBefore) {
  SeenBatches seen;
  EXPECT_TRUE(seen.claim(batch(7)));  // given up
  auto claim = seen.claim(batch(7));
  ASSERT_TRUE(claim);
  claim.accepted();
  { const auto gone = std::move(claim); }
  EXPECT_FALSE(seen.claim(batch(7)));
  EXPECT_TRUE(seen.claim(batch(8)));
  EXPECT_TRUE(seen.claim(batch(7, "another edge")));
  EXPECT_TRUE(seen.claim(batch(6)));  // a gap is no acceptance
}

TEST(SeenBatches, PredecessorsBatchesAreToldByWhatTheyHold) {
  SeenBatches seen;
  seen.add({{}, 0, {1, 2}});
  EXPECT_TRUE(seen.contains({{}, 0, {1, 2}}));
  EXPECT_FALSE(seen.contains({{}, 0, {1, 3}}));
}

TEST(SeenBatches, TheSameBatchTwiceAtOnceIsAcceptedOnce) {
  SeenBatches seen;
  for (std::uint64_t sequence = 1; sequence <= 200; ++sequence) {
    std::atomic<int> accepted = 0;
    const auto work = [&] {
      if (auto claim = seen.claim(batch(sequence))) {
        ++accepted;
        claim.accepted();
      }
    };
    std::thread other(work);
    work();
    other.join();
    ASSERT_EQ(accepted, 1);
  }
}

RC_GTEST_PROP(SeenBatches, WithinItsWindowItKnowsExactlyWhatWasAccepted, ()) {
  SeenBatches seen;
  std::set<std::uint64_t> accepted;
  const auto steps = *rc::gen::container<std::vector<std::uint64_t>>(rc::gen::oneOf(
      rc::gen::inRange<std::uint64_t>(1, 50), rc::gen::inRange<std::uint64_t>(1000, 1100),
      rc::gen::inRange<std::uint64_t>(2000, 9000)));
  for (const std::uint64_t sequence : steps) {
    const std::uint64_t highest = accepted.empty() ? 0 : *accepted.rbegin();
    const bool old = sequence + SeenBatches::kWindow <= highest;
    RC_ASSERT(seen.contains(batch(sequence)) == (old || accepted.count(sequence) != 0));
    seen.add(batch(sequence));
    accepted.insert(sequence);
  }
}

}  // namespace
}  // namespace beaconry
