#include "control/batch_stream.h"

#include <gtest/gtest.h>

namespace beaconry {
namespace {

using std::chrono::seconds;
constexpr Timestamp kStart{seconds{1'800'000'000}};

// Made every ten seconds, and received five later.
class BatchStreamTest : public testing::Test {
 protected:
  static Timestamp made(std::uint64_t sequence) {
    return kStart + seconds{10} * static_cast<std::int64_t>(sequence);
  }
  void take(std::uint64_t sequence, std::uint64_t dropped = 0) {
    stream_.take({sequence, made(sequence), dropped}, made(sequence) + seconds{5});
  }
  std::optional<Timestamp> complete(Timestamp now = made(100)) const {
    return stream_.complete_up_to(now);
  }
  BatchStream stream_;
};

TEST_F(BatchStreamTest, WithoutGapsItIsCompleteUpToTheNewest) {
  EXPECT_FALSE(complete());
  take(1), take(2), take(3);
  EXPECT_EQ(complete(), made(3));
  take(2);
  EXPECT_EQ(complete(), made(3));
  EXPECT_EQ(stream_.received(), 3U);
}

TEST_F(BatchStreamTest, WhatTheEdgeDroppedIsCountedAsLostAndHoldsNothingUp) {
  take(1), take(2);
  take(5, 2);
  EXPECT_EQ(complete(), made(5));
  EXPECT_EQ(stream_.cursor().missing(), 2U);
  EXPECT_EQ(stream_.unexplained(), 0U);
}

TEST_F(BatchStreamTest, AGapThatNothingExplainsHoldsItWhereItBegan) {
  take(1), take(2), take(4), take(5);
  EXPECT_EQ(complete(), made(2));
  EXPECT_EQ(stream_.unexplained(), 1U);
  take(3);
  EXPECT_EQ(complete(), made(5));
}

TEST_F(BatchStreamTest, DropsFromBeforeExplainNoLaterGap) {
  take(4, 3);  // three went before the first that ever came
  take(6, 3);
  EXPECT_EQ(complete(), made(4));
}

TEST_F(BatchStreamTest, WhatWasRefusedIsExplained) {
  take(1);
  stream_.refuse(2);
  stream_.refuse(2);
  take(3);
  EXPECT_EQ(complete(), made(3));
  take(5);
  EXPECT_EQ(complete(), made(3));
}

TEST_F(BatchStreamTest, AGapIsGivenUpAfterADayAndTheNextOneHoldsAnew) {
  take(1), take(3);
  const Timestamp day_after = made(3) + seconds{5} + BatchStream::kGivenUp;
  EXPECT_EQ(complete(day_after - seconds{1}), made(1));
  EXPECT_EQ(complete(day_after), made(3));
  const std::uint64_t later = 3 + 8641;
  stream_.take({later, made(later), 0}, made(later) + seconds{5});
  EXPECT_EQ(complete(made(later)), made(3));
  EXPECT_EQ(stream_.unexplained(), later - 4);
}

TEST_F(BatchStreamTest, WithoutTimesNothingIsSaid) {
  stream_.take({1, {}, {}}, kStart);
  EXPECT_FALSE(complete());
}

TEST_F(BatchStreamTest, ItIsReadAgainAsItWasWritten) {
  take(1), take(3);
  stream_.refuse(4);
  const auto read = BatchStream::parse(stream_.cursor(), stream_.to_text());
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(read->to_text(), stream_.to_text());
  EXPECT_EQ(read->complete_up_to(made(100)), made(1));
  EXPECT_TRUE(BatchStream::parse({}, ""));
  for (const char* bad : {"1", "1 2 3 4 5 x", "- 0 0 0 0 0", "1 2 3 4 5 99999999999999999999"})
    EXPECT_FALSE(BatchStream::parse({}, bad)) << bad;
}

}  // namespace
}  // namespace beaconry
