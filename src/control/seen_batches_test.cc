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

TEST(SeenBatches, AnEdgeThatBeginsStreamAfterStreamPushesOutItsOwnAlone) {
  SeenBatches seen;
  seen.add(batch(7, "honest/a"));
  seen.add(batch(8, "honest/b"));
  const std::size_t streams = SeenBatches::kMostStreams + 100;
  for (std::size_t i = 0; i < streams; ++i)
    seen.add(batch(1, "liar/" + std::to_string(i)));
  EXPECT_TRUE(seen.contains(batch(7, "honest/a")));
  EXPECT_TRUE(seen.contains(batch(8, "honest/b")));
  EXPECT_FALSE(seen.contains(batch(1, "liar/0")));
  for (std::size_t i = streams - SeenBatches::kMostStreamsOfEdge; i < streams; ++i)
    EXPECT_TRUE(seen.contains(batch(1, "liar/" + std::to_string(i))));
}

TEST(SeenBatches, BeyondItsBoundItForgetsTheOldestOfThoseWithTheMostStreams) {
  SeenBatches seen;
  seen.add(batch(1, "first/a"));
  seen.add(batch(1, "second/a"));
  seen.add(batch(1, "second/b"));
  for (std::size_t i = 3; i < SeenBatches::kMostStreams; ++i)
    seen.add(batch(1, "edge" + std::to_string(i) + "/a"));
  EXPECT_TRUE(seen.contains(batch(1, "second/a")));
  seen.add(batch(1, "one more/a"));
  EXPECT_FALSE(seen.contains(batch(1, "second/a")));
  EXPECT_TRUE(seen.contains(batch(1, "first/a")));
  seen.add(batch(1, "yet one/a"));
  EXPECT_FALSE(seen.contains(batch(1, "first/a")));
  EXPECT_TRUE(seen.contains(batch(1, "second/b")));
  EXPECT_TRUE(seen.contains(batch(1, "one more/a")));
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
