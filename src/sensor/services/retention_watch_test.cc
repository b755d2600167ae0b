#include "sensor/services/retention_watch.h"

#include <gtest/gtest.h>

namespace beaconry {
namespace {

using namespace std::chrono_literals;

constexpr Timestamp kStart{std::chrono::hours{24 * 365 * 50}};

struct Watch {
  RetentionWatch watch;
  Timestamp now = kStart;

  Watch() {
    watch.set(24h);
    watch.started(now);
    watch.heard(true);
  }
  std::optional<to_instrument::Retain> command() {
    watch.work(now);
    auto due = watch.due(now, now);
    if (due) watch.sent(*due, now, now);
    return due;
  }
  RetentionReceipt receipt(const to_instrument::Retain& command) const {
    RetentionReceipt receipt;
    receipt.uuid = command.uuid;
    receipt.before = command.before;
    return receipt;
  }
};

TEST(RetentionWatch, SaysAgainAtAHelloWhatIsNotAnswered) {
  Watch w;
  const auto first = w.command();
  ASSERT_TRUE(first);
  w.watch.heard(false);
  EXPECT_FALSE(w.command());
  w.watch.heard(true);
  const auto again = w.command();
  ASSERT_TRUE(again);
  EXPECT_TRUE(w.watch.receipt(w.receipt(*again), w.now, w.now));
  w.watch.heard(true);
  EXPECT_FALSE(w.command());
}

TEST(RetentionWatch, CommandsAfterTheStartAndThenEachHour) {
  Watch w;
  const auto first = w.command();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->before, kStart - 24h);
  RetentionReceipt receipt = w.receipt(*first);
  receipt.items = 7;
  receipt.bytes = 700;
  EXPECT_TRUE(w.watch.receipt(receipt, w.now, w.now));
  EXPECT_FALSE(w.watch.receipt(receipt, w.now, w.now));  // once
  EXPECT_EQ(w.watch.report().items, 7U);
  EXPECT_FALSE(w.watch.report().overdue);
  w.now += 59min;
  EXPECT_FALSE(w.command());
  w.now += 1min;
  const auto second = w.command();
  ASSERT_TRUE(second);
  EXPECT_EQ(second->before, kStart - 23h);
}

TEST(RetentionWatch, NoReceiptWithinAnHourIsOverdueAndAskedForAgain) {
  Watch w;
  ASSERT_TRUE(w.command());
  w.now += 59min;
  EXPECT_FALSE(w.command());
  EXPECT_FALSE(w.watch.report().overdue);
  w.now += 1min;
  const auto again = w.command();
  ASSERT_TRUE(again);
  EXPECT_TRUE(w.watch.report().overdue);
  EXPECT_TRUE(w.watch.receipt(w.receipt(*again), w.now, w.now));
  EXPECT_FALSE(w.watch.report().overdue);
}

TEST(RetentionWatch, AReceiptIsHeldAgainstItsCommand) {
  for (int fault = 0; fault < 3; ++fault) {
    Watch w;
    const auto command = w.command();
    ASSERT_TRUE(command);
    RetentionReceipt receipt = w.receipt(*command);
    if (fault == 0) receipt.error = "read-only file system";
    if (fault == 1) receipt.before = command->before - 1h;
    if (fault == 2) receipt.oldest = command->before - 1s;
    EXPECT_TRUE(w.watch.receipt(receipt, w.now, w.now));
    EXPECT_TRUE(w.watch.report().overdue) << fault;
    EXPECT_NE(w.watch.report().error, "") << fault;
    w.now += RetentionWatch::kAgain;
    EXPECT_TRUE(w.command()) << fault;  // sooner than in an hour
  }
  Watch w;
  const auto command = w.command();
  RetentionReceipt receipt = w.receipt(*command);
  receipt.oldest = command->before;
  w.watch.receipt(receipt, w.now, w.now);
  EXPECT_FALSE(w.watch.report().overdue);
}

TEST(RetentionWatch, WhatIsStoppedIsNotAskedAndWithoutRetentionNothingIsCommanded) {
  Watch w;
  ASSERT_TRUE(w.command());
  w.watch.stopped();
  w.now += 3h;
  EXPECT_FALSE(w.command());
  EXPECT_FALSE(w.watch.report().overdue);
  w.watch.started(w.now);
  EXPECT_FALSE(w.command());  // nobody there yet
  w.watch.heard(true);
  EXPECT_TRUE(w.command());
  w.watch.set(0h);
  w.now += 3h;
  w.watch.work(w.now);
  EXPECT_FALSE(w.watch.due(w.now, w.now));
}

TEST(RetentionWatch, ReceiptsSurviveARestart) {
  Watch w;
  const auto command = w.command();
  RetentionReceipt receipt = w.receipt(*command);
  receipt.items = 9;
  receipt.oldest = command->before - 1h;
  w.watch.receipt(receipt, w.now, w.now);
  EXPECT_TRUE(w.watch.take_changed());
  RetentionWatch after;
  after.restore(w.watch.kept());
  EXPECT_EQ(after.report().items, 9U);
  EXPECT_TRUE(after.report().overdue);
  EXPECT_EQ(after.report().answered, w.now);
  after.restore("nonsense");
  EXPECT_EQ(after.report().items, 9U);
}

TEST(RetentionWatch, TellsOnceThatItIsOverdue) {
  Watch w;
  ASSERT_TRUE(w.command());
  EXPECT_FALSE(w.watch.take_overdue());
  w.now += 1h;
  const auto again = w.command();
  ASSERT_TRUE(again);
  EXPECT_TRUE(w.watch.take_overdue());
  EXPECT_FALSE(w.watch.take_overdue());
  EXPECT_TRUE(w.watch.receipt(w.receipt(*again), w.now, w.now));
  EXPECT_FALSE(w.watch.take_overdue());
}

}  // namespace
}  // namespace beaconry
