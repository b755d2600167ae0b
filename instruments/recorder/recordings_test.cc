#include "recorder/recordings.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "recorder/pcap_file.h"

namespace beaconry {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr Timestamp kNoon{std::chrono::seconds{1'790'000'000}};

void put(std::string& out, std::uint32_t number) {
  char bytes[4];
  std::memcpy(bytes, &number, 4);
  out.append(bytes, 4);
}

// A capture file with a packet of 60 bytes at each of these times after noon.
std::string capture(const std::vector<std::chrono::seconds>& times) {
  std::string out;
  for (const std::uint32_t word : {0xa1b2c3d4U, 0x00040002U, 0U, 0U, 262144U, 1U})
    put(out, word);
  for (const auto time : times) {
    const auto at =
        std::chrono::duration_cast<std::chrono::seconds>((kNoon + time).time_since_epoch());
    put(out, static_cast<std::uint32_t>(at.count()));
    for (const std::uint32_t word : {0U, 60U, 60U})
      put(out, word);
    out.append(60, 'p');
  }
  return out;
}

class RecordingsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = ::testing::TempDir() + "recordings_XXXXXX";
    ASSERT_NE(::mkdtemp(folder_.data()), nullptr);
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::string write(const std::string& name, const std::string& bytes) {
    std::ofstream(folder_ + '/' + name, std::ios::binary) << bytes;
    return folder_ + '/' + name;
  }
  std::string folder_;
};

TEST_F(RecordingsTest, every_packet_from_before_is_gone_and_the_receipt_says_what) {
  write("20260921T000000Z.1.pcap", capture({-3h, -2h}));
  const std::string border = write("20260921T010000Z.1.pcap1", capture({-1h, 1h, -10min, 2h}));
  const std::string current = write("20260921T020000Z.2.pcap", capture({3h}));
  Recordings recordings(folder_);
  ASSERT_TRUE(recordings.open());
  bool closed = false;
  const RetentionReceipt receipt = recordings.retain(kNoon, [&] { closed = true; });
  EXPECT_EQ(receipt.error, "");
  EXPECT_EQ(receipt.items, 4U);
  EXPECT_EQ(receipt.bytes, 24U + 4 * 76);
  EXPECT_EQ(receipt.oldest, kNoon + 1h);
  EXPECT_FALSE(closed);  // what is being written holds nothing old
  const auto left = scan_pcap(border);
  ASSERT_TRUE(left) << left.error().message();
  EXPECT_EQ(left->packets, 2U);
  EXPECT_EQ(left->newest, kNoon + 2h);
  EXPECT_TRUE(fs::exists(current));
}

TEST_F(RecordingsTest, the_file_that_is_written_is_closed_before_it_is_cut) {
  const std::string current = write("20260921T020000Z.2.pcap", capture({-1h, 1h}));
  Recordings recordings(folder_);
  bool closed = false;
  const RetentionReceipt receipt = recordings.retain(kNoon, [&] { closed = true; });
  EXPECT_TRUE(closed);
  EXPECT_EQ(receipt.items, 1U);
  EXPECT_EQ(receipt.oldest, kNoon + 1h);
}

TEST_F(RecordingsTest, a_torn_end_is_no_fault_and_foreign_files_are_left) {
  const std::string whole = capture({-2h, 1h, 2h});
  const std::string torn = write("20260921T000000Z.1.pcap", whole.substr(0, whole.size() - 30));
  write("notes.txt", "mine");
  Recordings recordings(folder_);
  ASSERT_TRUE(recordings.open());
  const auto summary = scan_pcap(torn);
  ASSERT_TRUE(summary);
  EXPECT_EQ(summary->packets, 2U);
  EXPECT_FALSE(summary->whole);
  const RetentionReceipt receipt = recordings.retain(kNoon, [] {});
  EXPECT_EQ(receipt.items, 1U);
  EXPECT_EQ(receipt.oldest, kNoon + 1h);
  EXPECT_TRUE(fs::exists(folder_ + "/notes.txt"));
  EXPECT_TRUE(scan_pcap(torn)->whole);
}

TEST_F(RecordingsTest, what_cannot_be_read_is_told_and_goes_by_its_last_writing) {
  write("20260921T000000Z.1.pcap", "no capture at all, but long enough");
  write("20260921T000000Z.2.pcap", capture({1h}));
  Recordings recordings(folder_);
  EXPECT_NE(recordings.retain(kNoon - 24h * 3650, [] {}).error, "");
  const auto now = std::chrono::floor<Duration>(std::chrono::system_clock::now());
  EXPECT_EQ(recordings.retain(now + 1h, [] {}).error, "");
  EXPECT_TRUE(recordings.files()->empty());
}

TEST_F(RecordingsTest, the_oldest_go_when_there_is_too_much_but_never_the_newest) {
  write("20260921T020000Z.9.pcap", capture({1h}));
  write("20260921T010000Z.10.pcap", capture({2h}));
  write("20260921T000000Z.11.pcap", capture({3h}));  // the clock was set back meanwhile
  Recordings recordings(folder_);
  ASSERT_TRUE(recordings.open());
  EXPECT_NE(recordings.next_run().find(".12.pcap"), std::string::npos);
  const auto removed = recordings.keep_below(2 * 100);
  ASSERT_TRUE(removed);
  EXPECT_EQ(removed->files, 1U);
  EXPECT_FALSE(fs::exists(folder_ + "/20260921T020000Z.9.pcap"));
  ASSERT_TRUE(recordings.keep_below(1));
  const auto left = recordings.files();
  ASSERT_EQ(left->size(), 1U);
  EXPECT_EQ(left->front().run, 11U);
}

}  // namespace
}  // namespace beaconry
