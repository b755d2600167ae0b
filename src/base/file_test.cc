#include "base/file.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>

namespace beaconry {
namespace {

TEST(ReadSmallFile, ReadsWholeFilesUpToTheLimit) {
  const std::string path = testing::TempDir() + "read_small_file_test";
  std::ofstream(path, std::ios::binary) << std::string(40'000, 'x');
  const auto whole = read_small_file(path, 40'000);
  ASSERT_TRUE(whole);
  EXPECT_EQ(*whole, std::string(40'000, 'x'));
  const auto refused = read_small_file(path, 39'999);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::limit);
  std::remove(path.c_str());
}

TEST(ReadSmallFile, SaysWhyThereIsNoText) {
  const auto missing = read_small_file("/nonexistent/beaconry", 10);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorKind::not_found);
  const auto folder = read_small_file("/", 10);
  ASSERT_FALSE(folder);
  EXPECT_NE(folder.error().message().find('/'), std::string::npos);
}

}  // namespace
}  // namespace beaconry
