#include "sdk/outbox.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace beaconry::sdk {
namespace {

class OutboxTest : public testing::Test {
 protected:
  OutboxTest() {
    // Where there is memory for it: each event is synced, and disks are slow.
    std::string pattern = "/dev/shm/bcoutXXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) {
      pattern = "/tmp/bcoutXXXXXX";
      EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
    }
    folder_ = pattern;
  }
  ~OutboxTest() override { std::filesystem::remove_all(folder_); }

  Outbox open() { return Outbox::open({folder_}); }
  std::string file() const { return folder_ + "/.outbox"; }

  static Event event(unsigned number, std::size_t length = 10) {
    char uuid[40];
    std::snprintf(uuid, sizeof uuid, "00000000-0000-4000-8000-%012u", number);
    return {uuid, "", Timestamp{}, "a.b", std::string(length, 'm'), "{}"};
  }

  // The numbers in the order in which they would be said.
  static std::vector<unsigned> said(Outbox& outbox) {
    std::vector<unsigned> numbers;
    while (const std::string* json = outbox.next()) {
      const auto event = decode_event(*json);
      EXPECT_TRUE(event);
      if (event) numbers.push_back(static_cast<unsigned>(std::stoul(event->uuid.substr(24))));
      outbox.said();
    }
    return numbers;
  }

  std::string folder_;
};

using Numbers = std::vector<unsigned>;

TEST_F(OutboxTest, OneSyncIsForAllOfABurst) {
  Outbox outbox = Outbox::open({folder_});
  for (int n = 0; n < 3; ++n) {
    Event event;
    event.uuid = make_uuid();
    event.timestamp = *parse_rfc3339("2026-11-21T18:00:00Z");
    event.type = "instruments.beacon.ev.alert";
    ASSERT_TRUE(outbox.put(event));
  }
  EXPECT_EQ(outbox.unsynced(), 3U);
  EXPECT_TRUE(outbox.sync());
  EXPECT_EQ(outbox.unsynced(), 0U);
}

TEST_F(OutboxTest, KeepsOrderUntilTheyAreTaken) {
  Outbox outbox = open();
  for (const unsigned number : {3U, 1U, 2U})
    ASSERT_TRUE(outbox.put(event(number)));
  EXPECT_EQ(said(outbox), (Numbers{3, 1, 2}));
  EXPECT_EQ(outbox.on_the_way(), 3U);
  EXPECT_TRUE(outbox.remove(event(1).uuid));
  EXPECT_FALSE(outbox.remove(event(1).uuid));
  EXPECT_EQ(outbox.on_the_way(), 2U);
  EXPECT_EQ(said(outbox), Numbers{});
  outbox.rewind();
  EXPECT_EQ(said(outbox), (Numbers{3, 2}));
}

TEST_F(OutboxTest, IsThereAgainAfterTheEndOfItsProcess) {
  {
    Outbox outbox = open();
    for (unsigned number = 0; number < 10; ++number)
      ASSERT_TRUE(outbox.put(event(number)));
    for (unsigned number = 0; number < 10; number += 2)
      outbox.remove(event(number).uuid);
  }
  Outbox outbox = open();
  EXPECT_EQ(said(outbox), (Numbers{1, 3, 5, 7, 9}));
  EXPECT_EQ(outbox.file(), file());
}

TEST_F(OutboxTest, HalfALineAtTheEndIsDroppedAndSpoilsNothing) {
  {
    Outbox outbox = open();
    ASSERT_TRUE(outbox.put(event(1)));
    ASSERT_TRUE(outbox.put(event(2)));
  }
  const auto size = std::filesystem::file_size(file());
  std::filesystem::resize_file(file(), size - 5);
  {
    Outbox outbox = open();
    EXPECT_EQ(outbox.size(), 1U);
    EXPECT_EQ(outbox.spoilt(), 0U);
    ASSERT_TRUE(outbox.put(event(3)));
  }
  Outbox outbox = open();
  EXPECT_EQ(said(outbox), (Numbers{1, 3}));
}

TEST_F(OutboxTest, LinesThatAreNoEventsAreCounted) {
  {
    Outbox outbox = open();
    ASSERT_TRUE(outbox.put(event(1)));
  }
  std::ofstream(file(), std::ios::app) << "+{}\nrubbish\n-unknown\n+" << encode(event(2)) << "\n";
  Outbox outbox = open();
  EXPECT_EQ(outbox.spoilt(), 2U);
  EXPECT_EQ(said(outbox), (Numbers{1, 2}));
}

TEST_F(OutboxTest, IsBoundedInNumberAndBytesAndCountsWhatItRefuses) {
  Outbox outbox = Outbox::open({});
  EXPECT_EQ(outbox.file(), "");
  unsigned number = 0;
  while (outbox.put(event(number)))
    ++number;
  EXPECT_EQ(outbox.size(), Outbox::kMostEvents);
  EXPECT_EQ(outbox.put(event(number)).error().kind, ErrorKind::limit);
  EXPECT_EQ(outbox.refused(), 2U);
  EXPECT_TRUE(outbox.remove(event(5).uuid));
  EXPECT_TRUE(outbox.put(event(number)));

  Outbox large = Outbox::open({});
  number = 0;
  while (large.put(event(number, 4000)))
    ++number;
  EXPECT_LE(large.bytes(), Outbox::kMostBytes);
  EXPECT_GT(large.bytes(), Outbox::kMostBytes - 5000);
  EXPECT_EQ(large.put({"no uuid", "", Timestamp{}, "a", "", "{}"}).error().kind,
            ErrorKind::malformed);
}

TEST_F(OutboxTest, FileDoesNotGrowForEver) {
  Outbox outbox = open();
  for (unsigned number = 0; number < 600; ++number) {
    ASSERT_TRUE(outbox.put(event(number, 3000)));
    outbox.remove(event(number).uuid);
    ASSERT_LT(std::filesystem::file_size(file()), 300U << 10);
  }
}

TEST_F(OutboxTest, OnlyAWindowIsOnTheWay) {
  Outbox outbox = Outbox::open({});
  for (unsigned number = 0; number < 2 * Outbox::kWindow; ++number)
    ASSERT_TRUE(outbox.put(event(number)));
  EXPECT_EQ(said(outbox).size(), Outbox::kWindow);
  outbox.remove(event(0).uuid);
  EXPECT_EQ(said(outbox), Numbers{Outbox::kWindow});
}

TEST_F(OutboxTest, TakesTheNextFolderWhereTheFirstIsNone) {
  EXPECT_EQ(Outbox::open({"/nonexistent", folder_}).file(), file());
  EXPECT_EQ(Outbox::open({"/nonexistent"}).file(), "");
  EXPECT_EQ(Outbox::open({"/proc"}).file(), "");  // takes no files
}

RC_GTEST_FIXTURE_PROP(OutboxTest, WhatWaitsIsTheSameInMemoryAndInTheFile, ()) {
  std::filesystem::remove(file());
  std::vector<unsigned> model;
  Outbox outbox = open();
  unsigned next = 0;
  for (const unsigned step : *rc::gen::container<std::vector<unsigned>>(rc::gen::inRange(0U, 4U))) {
    if (step == 3 && !model.empty()) {
      RC_ASSERT(outbox.remove(event(model.front()).uuid));
      model.erase(model.begin());
    } else if (step == 2) {
      outbox = open();
    } else {
      RC_ASSERT(outbox.put(event(next)).has_value());
      model.push_back(next++);
    }
  }
  outbox.rewind();
  if (model.size() > Outbox::kWindow) model.resize(Outbox::kWindow);
  RC_ASSERT(said(outbox) == model);
}

}  // namespace
}  // namespace beaconry::sdk
