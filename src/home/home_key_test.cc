#include "home/home_key.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "spool/test_folder.h"

namespace beaconry {
namespace {

TEST(HomeKey, IsMadeOnceForItsOwnerAlone) {
  const TestFolder folder;
  const auto first = open_home_key(folder.path());
  ASSERT_TRUE(first) << first.error().message();
  const auto second = open_home_key(folder.path());
  ASSERT_TRUE(second);
  EXPECT_EQ(first->box_public(), second->box_public());
  struct stat status {};
  ASSERT_EQ(::stat((folder.path() + "/home.key").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  EXPECT_FALSE(std::filesystem::exists(folder.path() + "/home.key.new"));
}

TEST(HomeKey, IsNotMadeInThePlaceOfOneThatCannotBeSeen) {
  const TestFolder folder;
  const std::string path = folder.path() + "/home.key";
  for (const std::string& target : {path, folder.path() + "/unmounted/home.key"}) {
    std::filesystem::create_symlink(target, path);
    EXPECT_FALSE(open_home_key(folder.path()));
    EXPECT_TRUE(std::filesystem::is_symlink(path));
    std::filesystem::remove(path);
  }
}

}  // namespace
}  // namespace beaconry
