#include "spool/spool.h"

#include <sys/stat.h>

#include <fstream>
#include <thread>

#include "spool/test_folder.h"

namespace beaconry {
namespace {

class SpoolTest : public testing::Test {
 protected:
  Spool::Options options() const {
    Spool::Options options;
    options.folder = folder_.spool();
    options.segment_bytes = 280;
    return options;
  }
  // Five segments, two records of 112 bytes in each: 1 2 | 3 4 | ... | 9 10
  void fill() const {
    const auto spool = open_spool(options());
    for (int i = 1; i <= 10; ++i)
      put(*spool, std::string(80, static_cast<char>('a' + i)), second(i));
    ASSERT_TRUE(spool->sync(10));
    ASSERT_EQ(folder_.segments().size(), 5U);
  }
  void change(const std::string& file, std::size_t offset) const {
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekg(static_cast<std::streamoff>(offset));
    const auto byte = static_cast<char>(stream.get() ^ 0x55);
    stream.seekp(static_cast<std::streamoff>(offset));
    stream.put(byte);
  }

  TestFolder folder_;
};

TEST_F(SpoolTest, GivesRecordsNumbersFromOneAndReadsThemBack) {
  const auto spool = open_spool(options());
  EXPECT_EQ(spool->next(), 1U);
  EXPECT_EQ(spool->first(), 1U);
  EXPECT_FALSE(*spool->read(1));
  EXPECT_EQ(put(*spool, "one", second(5)), 1U);
  EXPECT_EQ(put(*spool, "", second(6)), 2U);
  ASSERT_TRUE(spool->sync(2));
  EXPECT_EQ(get(*spool, 0).sequence, 1U);
  EXPECT_EQ(get(*spool, 1).bytes, "one");
  EXPECT_EQ(get(*spool, 1).appended, second(5));
  EXPECT_EQ(get(*spool, 2).bytes, "");
  EXPECT_EQ(get(*spool, 2).sequence, 2U);
  EXPECT_FALSE(*spool->read(3));
}

TEST_F(SpoolTest, KeepsItsFolderToItself) {
  const auto spool = open_spool(options());
  struct stat status {};
  ASSERT_EQ(::stat(folder_.spool().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700U);
  const auto second = Spool::open(options());
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().message().find("another process is using it"), std::string::npos);
}

TEST_F(SpoolTest, KeepsRecordsNumbersAndIncarnationAcrossRestarts) {
  std::string incarnation;
  {
    const auto spool = open_spool(options());
    incarnation = spool->incarnation();
    EXPECT_EQ(incarnation.size(), 32U);
    put(*spool, "one");
    put(*spool, "two");
    spool->release(1);
  }
  const auto spool = open_spool(options());
  EXPECT_EQ(spool->incarnation(), incarnation);
  EXPECT_EQ(spool->first(), 2U);
  EXPECT_EQ(get(*spool, 1).bytes, "two");
  EXPECT_EQ(put(*spool, "three"), 3U);
  std::filesystem::remove_all(folder_.spool() + "2");
  Spool::Options other = options();
  other.folder += "2";
  EXPECT_NE(open_spool(other)->incarnation(), incarnation);
}

TEST_F(SpoolTest, KeepsCountingWhenEverythingWasReleased) {
  fill();
  {
    const auto spool = open_spool(options());
    spool->release(100);
    EXPECT_EQ(spool->first(), 11U);
    EXPECT_EQ(folder_.segments().size(), 1U);
    EXPECT_EQ(spool->bytes(), folder_.bytes_of_segments());
  }
  const auto spool = open_spool(options());
  EXPECT_EQ(spool->first(), 11U);
  EXPECT_EQ(put(*spool, "next"), 11U);
  EXPECT_EQ(spool->damaged(), 0U);
}

TEST_F(SpoolTest, RemovesSegmentsThatAreReleased) {
  fill();
  const auto spool = open_spool(options());
  spool->release(3);
  EXPECT_EQ(folder_.segments().size(), 4U);
  EXPECT_EQ(spool->first(), 4U);
  EXPECT_EQ(get(*spool, 1).sequence, 4U);
  spool->release(2);  // less than before
  EXPECT_EQ(spool->first(), 4U);
}

TEST_F(SpoolTest, ReleasesWhatIsOld) {
  fill();
  const auto spool = open_spool(options());
  spool->release_before(second(1));
  EXPECT_EQ(spool->first(), 1U);
  spool->release_before(second(6));
  EXPECT_EQ(spool->first(), 6U);
  spool->release_before(second(6));
  EXPECT_EQ(spool->first(), 6U);
  spool->release_before(second(99));
  EXPECT_EQ(spool->first(), 11U);
  EXPECT_EQ(spool->dropped(), 0U);
}

TEST_F(SpoolTest, DropsAndCountsTheOldestWhenFull) {
  Spool::Options small = options();
  small.most_bytes = 1024;
  {
    const auto spool = open_spool(small);
    for (int i = 1; i <= 50; ++i) {
      put(*spool, std::string(80, 'x') + std::to_string(i));
      EXPECT_LE(spool->bytes(), 1024U);
      EXPECT_EQ(spool->bytes(), folder_.bytes_of_segments());
    }
    EXPECT_GT(spool->first(), 40U);
    EXPECT_EQ(spool->dropped(), spool->first() - 1);
    EXPECT_EQ(get(*spool, 1).bytes, std::string(80, 'x') + std::to_string(spool->first()));
  }
  const auto spool = open_spool(small);
  EXPECT_EQ(spool->dropped(), spool->first() - 1);
  EXPECT_EQ(spool->damaged(), 0U);
}

TEST_F(SpoolTest, RefusesWhenFullIfToldSo) {
  Spool::Options small = options();
  small.most_bytes = 1024;
  small.when_full = Spool::WhenFull::refuse;
  const auto spool = open_spool(small);
  auto result = spool->append(std::string(80, 'x'), second(1));
  while (result)
    result = spool->append(std::string(80, 'x'), second(1));
  EXPECT_EQ(result.error().kind, ErrorKind::limit);
  EXPECT_EQ(spool->first(), 1U);
  EXPECT_EQ(spool->dropped(), 0U);
  const std::uint64_t next = spool->next();
  EXPECT_EQ(read_all(*spool).size(), next - 1);
  spool->release(next - 1);
  EXPECT_EQ(put(*spool, std::string(800, 'y')), next);  // it needs what was released
  EXPECT_EQ(spool->dropped(), 0U);
}

TEST_F(SpoolTest, RefusesRecordsThatAreTooLong) {
  Spool::Options small = options();
  small.longest_record = 100;
  const auto spool = open_spool(small);
  const auto got = spool->append(std::string(101, 'x'), second(1));
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().kind, ErrorKind::limit);
  EXPECT_EQ(put(*spool, std::string(100, 'x')), 1U);
}

TEST_F(SpoolTest, TakesARecordLongerThanASegment) {
  const auto spool = open_spool(options());
  put(*spool, "small");
  put(*spool, std::string(10'000, 'x'));
  put(*spool, "small again");
  const auto all = read_all(*spool);
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[1].bytes.size(), 10'000U);
}

TEST_F(SpoolTest, SkipsAndCountsADamagedRecord) {
  fill();
  change(folder_.segments()[2], 60);  // of the fifth record
  const auto spool = open_spool(options());
  EXPECT_EQ(get(*spool, 5).sequence, 6U);
  EXPECT_EQ(spool->damaged(), 1U);
  EXPECT_EQ(read_all(*spool).size(), 9U);
  EXPECT_EQ(spool->damaged(), 1U);  // once
}

TEST_F(SpoolTest, SkipsARecordThatIsDamagedWhileItRuns) {
  fill();
  const auto spool = open_spool(options());
  EXPECT_EQ(get(*spool, 5).sequence, 5U);
  change(folder_.segments()[2], 90);
  EXPECT_EQ(get(*spool, 5).sequence, 6U);
  EXPECT_EQ(spool->damaged(), 1U);
}

TEST_F(SpoolTest, CountsWhatWasInAMissingSegment) {
  fill();
  const auto segments = folder_.segments();
  std::filesystem::remove(segments[1]);
  const auto spool = open_spool(options());
  EXPECT_EQ(get(*spool, 3).sequence, 5U);
  EXPECT_EQ(read_all(*spool).size(), 8U);
  EXPECT_EQ(spool->damaged(), 2U);
}

TEST_F(SpoolTest, CountsMissingFirstSegments) {
  fill();
  const auto segments = folder_.segments();
  std::filesystem::remove(segments[0]);
  const auto spool = open_spool(options());
  EXPECT_EQ(spool->first(), 3U);
  EXPECT_EQ(spool->damaged(), 2U);
}

TEST_F(SpoolTest, GivesNoNumberTwiceWhenTheLastSegmentIsMissing) {
  fill();
  std::filesystem::remove(folder_.segments().back());
  {
    const auto spool = open_spool(options());
    EXPECT_EQ(spool->damaged(), 2U);
    EXPECT_EQ(put(*spool, "eleven"), 11U);
    EXPECT_EQ(get(*spool, 9).sequence, 11U);
  }
  EXPECT_EQ(read_all(*open_spool(options())).size(), 9U);
}

TEST_F(SpoolTest, GivesNoNumberTwiceWhenAllSegmentsAreMissing) {
  fill();
  for (const std::string& segment : folder_.segments())
    std::filesystem::remove(segment);
  const auto spool = open_spool(options());
  EXPECT_EQ(spool->next(), 11U);
  EXPECT_EQ(spool->first(), 11U);
  EXPECT_EQ(spool->damaged(), 10U);
}

TEST_F(SpoolTest, ReadsOnWithoutItsState) {
  fill();
  const std::string incarnation = open_spool(options())->incarnation();
  for (const bool is_missing : {true, false}) {
    if (is_missing) {
      std::filesystem::remove(folder_.spool() + "/state");
    } else {
      change(folder_.spool() + "/state", 3);
    }
    const auto spool = open_spool(options());
    EXPECT_EQ(spool->incarnation(), incarnation);
    EXPECT_EQ(read_all(*spool).size(), 10U);
    EXPECT_EQ(spool->damaged(), 0U);
  }
}

TEST_F(SpoolTest, RemovesHalfMadeFilesAndLeavesOthers) {
  fill();
  std::ofstream(folder_.spool() + "/state.new") << "half";
  std::ofstream(folder_.spool() + "/notes.txt") << "mine";
  std::ofstream(folder_.spool() + "/00000000000000000011.seg");  // made, not yet written
  const auto spool = open_spool(options());
  EXPECT_FALSE(std::filesystem::exists(folder_.spool() + "/state.new"));
  EXPECT_TRUE(std::filesystem::exists(folder_.spool() + "/notes.txt"));
  EXPECT_EQ(put(*spool, "next"), 11U);
  EXPECT_EQ(read_all(*spool).size(), 11U);
}

TEST_F(SpoolTest, SaysWhyItCannotBeOpened) {
  std::ofstream(folder_.spool()) << "a file, no folder";
  const auto spool = Spool::open(options());
  ASSERT_FALSE(spool);
  EXPECT_NE(spool.error().message().find(folder_.spool()), std::string::npos);
}

TEST_F(SpoolTest, ServesManyThreadsAtOnce) {
  constexpr int kThreads = 8, kEach = 60;
  Spool::Options several = options();
  several.segment_bytes = 4096;
  const auto spool = open_spool(several);
  std::vector<std::vector<std::uint64_t>> numbers(kThreads);
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < kEach; ++i) {
          const auto sequence =
              put(*spool, std::to_string(t) + "." + std::to_string(i) + std::string(90, ' '));
          EXPECT_TRUE(spool->sync(sequence));
          numbers[static_cast<std::size_t>(t)].push_back(sequence);
          EXPECT_TRUE(*spool->read(sequence));
        }
      });
    }
  }
  EXPECT_EQ(spool->next(), 1U + kThreads * kEach);
  for (int t = 0; t < kThreads; ++t) {
    const auto& mine = numbers[static_cast<std::size_t>(t)];
    for (int i = 0; i < kEach; ++i) {
      const std::string expected = std::to_string(t) + "." + std::to_string(i) + " ";
      EXPECT_EQ(get(*spool, mine[static_cast<std::size_t>(i)]).bytes.substr(0, expected.size()),
                expected);
    }
  }
}

}  // namespace
}  // namespace beaconry
