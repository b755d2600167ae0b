// Disks that are full: a file size limit, which cuts writes in the middle, and a small file system.
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include <csignal>
#include <fstream>

#include "spool/test_folder.h"

namespace beaconry {
namespace {

// Files of this process end at `bytes` while it lives.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    handler_ = ::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit now{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &now);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    ::signal(SIGXFSZ, handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_{};
  sighandler_t handler_ = SIG_DFL;
};

TEST(SpoolOnAFullDisk, UndoesAnAppendThatWasCutInTheMiddle) {
  const TestFolder folder;
  Spool::Options options;
  options.folder = folder.spool();
  auto spool = open_spool(options);
  put(*spool, std::string(1000, 'a'));
  const std::uint64_t bytes = spool->bytes();
  {
    const FileSizeLimit limit(1500);
    const auto got = spool->append(std::string(1000, 'b'), second(1));
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().kind, ErrorKind::limit);
    EXPECT_NE(got.error().message().find(folder.spool()), std::string::npos);
    EXPECT_EQ(put(*spool, std::string(100, 'c')), 2U);  // this one fits
  }
  EXPECT_EQ(spool->bytes(), bytes + 132);
  EXPECT_EQ(spool->bytes(), folder.bytes_of_segments());
  EXPECT_EQ(put(*spool, std::string(1000, 'd')), 3U);
  ASSERT_TRUE(spool->sync(3));
  spool.reset();
  spool = open_spool(options);
  EXPECT_EQ(read_all(*spool).size(), 3U);
  EXPECT_EQ(spool->damaged(), 0U);
}

class SpoolOnASmallDisk : public testing::Test {
 protected:
  void SetUp() override {
    if (::unshare(CLONE_NEWNS) != 0 ||
        ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("tmpfs", folder_.path().c_str(), "tmpfs", 0, "size=256k") != 0) {
      GTEST_SKIP() << "mounting a small file system needs CAP_SYS_ADMIN";
    }
    is_mounted_ = true;
    options_.folder = folder_.spool();
    options_.segment_bytes = 32 << 10;
  }
  void TearDown() override {
    if (is_mounted_) ::umount2(folder_.path().c_str(), MNT_DETACH);
  }
  // Appends until the disk is full; the last number.
  std::uint64_t fill(Spool& spool) {
    for (;;) {
      const auto got = spool.append(std::string(1000, 'x'), second(1));
      if (got) continue;
      EXPECT_EQ(got.error().kind, ErrorKind::limit) << got.error().message();
      return spool.next() - 1;
    }
  }

  TestFolder folder_;
  bool is_mounted_ = false;
  Spool::Options options_;
};

TEST_F(SpoolOnASmallDisk, StaysAsItWasAndGoesOnWhenThereIsRoomAgain) {
  auto spool = open_spool(options_);
  const std::uint64_t last = fill(*spool);
  EXPECT_GT(last, 150U);
  EXPECT_FALSE(spool->append(std::string(5000, 'x'), second(1)));
  EXPECT_EQ(spool->next(), last + 1);
  EXPECT_EQ(spool->dropped(), 0U);  // a full disk is nothing to throw records away for
  ASSERT_TRUE(spool->sync(last));
  EXPECT_EQ(read_all(*spool).size(), last);

  spool->release(last / 2);  // works on a full disk, and makes room
  const std::uint64_t more = fill(*spool);
  EXPECT_GT(more, last + 50);
  ASSERT_TRUE(spool->sync(more));
  EXPECT_EQ(read_all(*spool).size(), more - last / 2);
  spool.reset();

  spool = open_spool(options_);  // on a full disk
  EXPECT_EQ(spool->first(), last / 2 + 1);
  EXPECT_EQ(read_all(*spool).size(), more - last / 2);
  EXPECT_EQ(spool->damaged(), 0U);
}

TEST_F(SpoolOnASmallDisk, RecoversByItselfWhenOthersGiveRoom) {
  const auto spool = open_spool(options_);
  put(*spool, "before");
  const std::string other = folder_.path() + "/other";
  {
    std::ofstream file(other);
    file << std::string(300 << 10, 'x');
  }
  const std::uint64_t last = fill(*spool);
  EXPECT_LE(last, 40U);
  std::filesystem::remove(other);
  EXPECT_EQ(put(*spool, "after"), last + 1);
  ASSERT_TRUE(spool->sync(last + 1));
  EXPECT_EQ(get(*spool, last + 1).bytes, "after");
}

}  // namespace
}  // namespace beaconry
