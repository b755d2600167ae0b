#include "base/log.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>
#include <string>

namespace beaconry {
namespace {

class Log : public testing::Test {
 protected:
  void SetUp() override {
    path_ = testing::TempDir() + "log_test." + std::to_string(::getpid()) + ".log";
    std::filesystem::remove(path_);
  }
  void TearDown() override {
    ASSERT_TRUE(open_log(LogOptions{}));
    std::filesystem::remove(path_);
  }
  void open(LogLevel level, bool json) {
    LogOptions options;
    options.level = level;
    options.json = json;
    options.file = path_;
    ASSERT_TRUE(open_log(options));
  }
  std::string written() const {
    std::ifstream file(path_);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }
  std::string path_;
};

TEST_F(Log, WritesTimeLevelAndMessage) {
  open(LogLevel::info, false);
  log_info("Attached XDP ingress hook on eth0");
  log_warning("only one direction is seen");
  const std::regex line(
      R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z INFO    Attached XDP ingress hook on eth0)"
      "\n"
      R"(\S+ WARNING only one direction is seen)"
      "\n");
  EXPECT_TRUE(std::regex_match(written(), line)) << written();
}

TEST_F(Log, LeavesOutWhatIsBelowTheLevel) {
  open(LogLevel::warning, false);
  log_info("quiet");
  log_error("loud");
  EXPECT_EQ(written().find("quiet"), std::string::npos);
  EXPECT_NE(written().find("loud"), std::string::npos);
}

TEST_F(Log, MakesForeignTextHarmless) {
  open(LogLevel::info, true);
  log_info("name \"x\x1b[2J\" \\ end");
  EXPECT_NE(written().find(R"("level":"INFO","message":"name \"x\\x1b[2J\" \\ end"})"),
            std::string::npos)
      << written();
}

TEST_F(Log, RefusesAFileThatCannotBeOpened) {
  LogOptions options;
  options.file = "/proc/no/such/file";
  EXPECT_FALSE(open_log(options));
}

}  // namespace
}  // namespace beaconry
