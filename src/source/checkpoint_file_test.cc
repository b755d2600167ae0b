#include "source/checkpoint_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace beaconry {
namespace {

class CheckpointFileTest : public testing::Test {
 protected:
  CheckpointFileTest() : folder_(testing::TempDir() + "checkpoint_XXXXXX") {
    EXPECT_NE(::mkdtemp(folder_.data()), nullptr);
  }
  ~CheckpointFileTest() override { std::filesystem::remove_all(folder_); }

  std::string path() const { return folder_ + "/checkpoint"; }
  // As after a restart; "-" for none.
  std::string load(std::uint64_t next, std::string_view incarnation) const {
    CheckpointFile file(path());
    const auto found = file.load(next, incarnation);
    if (!found) return found.error().message();
    return found->value_or("-");
  }

  std::string folder_;
};

TEST_F(CheckpointFileTest, IsThatOfTheLastBatchInTheLog) {
  CheckpointFile file(path());
  EXPECT_EQ(*file.load(1, "one"), std::nullopt);
  ASSERT_TRUE(file.store("a", 1));
  EXPECT_EQ(load(1, "one"), "-");
  EXPECT_EQ(load(2, "one"), "a");
  ASSERT_TRUE(file.store("b", 2));
  EXPECT_EQ(load(2, "one"), "a");
  EXPECT_EQ(load(3, "one"), "b");
}

TEST_F(CheckpointFileTest, BesideANewLogTheLaterOneCounts) {
  CheckpointFile before(path());
  ASSERT_TRUE(before.load(1, "one"));
  ASSERT_TRUE(before.store("a", 400));
  ASSERT_TRUE(before.store("b", 401));
  EXPECT_EQ(load(1, "two"), "b");
  EXPECT_EQ(load(1000, "two"), "b");
  CheckpointFile after(path());
  ASSERT_TRUE(after.load(1, "two"));
  ASSERT_TRUE(after.store("c", 1));
  EXPECT_EQ(load(1, "two"), "b");
  EXPECT_EQ(load(2, "two"), "c");
}

TEST_F(CheckpointFileTest, RefusesDamage) {
  CheckpointFile file(path());
  ASSERT_TRUE(file.load(1, "one"));
  ASSERT_TRUE(file.store("a", 1));
  std::ofstream(path(), std::ios::app) << "x\n";
  EXPECT_NE(load(2, "one").find("damaged"), std::string::npos);
}

}  // namespace
}  // namespace beaconry
