#include "alert/sinks/file_log.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "alert/test_alert.h"

namespace beaconry {
namespace {

class FileLogTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "file_log." + std::to_string(::getpid());
    std::filesystem::remove_all(folder_);
    options_.path = folder_ + "/deep/alerts.json";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  static std::vector<std::string> ids(const std::string& path) {
    std::vector<std::string> all;
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
      const auto alert = alert_from_json(line);
      all.push_back(alert ? alert->id : "unreadable: " + line);
    }
    return all;
  }

  std::string folder_;
  FileLog::Options options_;
};

using Ids = std::vector<std::string>;

TEST_F(FileLogTest, WritesALineAnAlert) {
  FileLog log(options_);
  ASSERT_TRUE(log.open());
  ASSERT_TRUE(log.deliver(test_alert("a")));
  ASSERT_TRUE(log.deliver(test_alert("b")));
  EXPECT_EQ(ids(options_.path), (Ids{"a", "b"}));
}

TEST_F(FileLogTest, RotatesBySizeAndKeepsSoManyBackups) {
  options_.max_bytes = to_json(test_alert("a")).size() + 10;
  options_.backups = 2;
  FileLog log(options_);
  for (const char* id : {"a", "b", "c", "d"})
    ASSERT_TRUE(log.deliver(test_alert(id)));
  EXPECT_EQ(ids(options_.path), Ids{"d"});
  EXPECT_EQ(ids(options_.path + ".1"), Ids{"c"});
  EXPECT_EQ(ids(options_.path + ".2"), Ids{"b"});
  EXPECT_FALSE(std::filesystem::exists(options_.path + ".3"));
}

TEST_F(FileLogTest, FollowsWhenSomebodyElseRotates) {
  FileLog log(options_);
  ASSERT_TRUE(log.deliver(test_alert("a")));
  std::filesystem::rename(options_.path, options_.path + ".moved");
  ASSERT_TRUE(log.deliver(test_alert("b")));
  EXPECT_EQ(ids(options_.path), Ids{"b"});
}

TEST_F(FileLogTest, SaysWhatIsWrongWithItsPath) {
  options_.path = "/proc/nowhere/alerts.json";
  const auto opened = FileLog(options_).open();
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().message().find("/proc/nowhere/alerts.json"), std::string::npos);
}

TEST_F(FileLogTest, AFullDiskIsAnErrorThatMayBeTriedAgain) {
  options_.path = "/dev/full";
  FileLog log(options_);
  const auto delivered = log.deliver(test_alert("a"));
  ASSERT_FALSE(delivered);
  EXPECT_NE(delivered.error().kind, ErrorKind::malformed);
}

}  // namespace
}  // namespace beaconry
