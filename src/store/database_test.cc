#include "store/database.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "store/transaction.h"

namespace beaconry {
namespace {

constexpr const char* kFirst[] = {"CREATE TABLE word (text TEXT NOT NULL)"};
constexpr const char* kSecond[] = {"CREATE TABLE word (text TEXT NOT NULL)",
                                   "ALTER TABLE word ADD COLUMN length INTEGER DEFAULT 7"};

class DatabaseTest : public testing::Test {
 protected:
  DatabaseTest() {
    std::string pattern = testing::TempDir() + "databaseXXXXXX";
    folder_ = ::mkdtemp(pattern.data());
  }
  ~DatabaseTest() override { std::filesystem::remove_all(folder_); }
  std::string path(const char* name = "a.db") const { return folder_ + '/' + name; }

  std::string folder_;
};

std::unique_ptr<Database> opened(const std::string& path) {
  auto database = Database::open(path);
  EXPECT_TRUE(database) << database.error().message();
  EXPECT_TRUE((*database)->migrate("words", kFirst));
  return std::move(*database);
}

Result<void> add(Database& database, const std::string& word) {
  return database.transact([&](SQLite::Database& tables) -> Result<void> {
    SQLite::Statement insert(tables, "INSERT INTO word (text) VALUES (?)");
    insert.bind(1, word);
    insert.exec();
    return {};
  });
}

int count(Database& database) {
  const auto found = database.transact([&](SQLite::Database& tables) -> Result<int> {
    return tables.execAndGet("SELECT count(*) FROM word").getInt();
  });
  EXPECT_TRUE(found) << found.error().message();
  return found.value_or(-1);
}

TEST_F(DatabaseTest, KeepsWhatWasWrittenAndIsForItsOwnerOnly) {
  {
    auto database = opened(path());
    ASSERT_TRUE(add(*database, "a"));
  }
  struct stat status {};
  ASSERT_EQ(::stat(path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  EXPECT_EQ(count(*opened(path())), 1);
}

TEST_F(DatabaseTest, WithoutAPathItIsInMemory) {
  auto database = opened("");
  ASSERT_TRUE(add(*database, "a"));
  EXPECT_EQ(count(*database), 1);
  EXPECT_EQ(count(*opened("")), 0);
}

TEST_F(DatabaseTest, ATransactionThatFailsLeavesNothing) {
  auto database = opened(path());
  const auto half = [&](bool throws) {
    return database->transact([&](SQLite::Database& tables) -> Result<int> {
      tables.exec("INSERT INTO word (text) VALUES ('x')");
      if (throws) tables.exec("INSERT INTO nowhere VALUES (1)");
      return fail(ErrorKind::usage, "say", "x", "no");
    });
  };
  const auto refused = half(false);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message(), "say x: no");
  const auto failed = half(true);
  ASSERT_FALSE(failed);
  EXPECT_NE(failed.error().message().find("no such table"), std::string::npos);
  EXPECT_EQ(count(*database), 0);
}

TEST_F(DatabaseTest, EachMigrationRunsOnceAndANewerDatabaseIsRefused) {
  opened(path());
  auto database = Database::open(path());
  ASSERT_TRUE(database);
  ASSERT_TRUE((*database)->migrate("words", kFirst));
  ASSERT_TRUE(add(**database, "a"));
  ASSERT_TRUE((*database)->migrate("words", kSecond));
  ASSERT_TRUE((*database)->migrate("words", kSecond));
  EXPECT_EQ(count(**database), 1);
  const auto refused = (*database)->migrate("words", kFirst);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::unsupported);
  EXPECT_NE(refused.error().message().find("'words' is of version 2, this program knows 1"),
            std::string::npos);
}

TEST_F(DatabaseTest, AMigrationThatFailsLeavesTheTablesAsTheyWere) {
  auto database = opened(path());
  constexpr const char* kBroken[] = {kFirst[0], "ALTER TABLE word ADD COLUMN more INTEGER",
                                     "CREATE NONSENSE"};
  EXPECT_FALSE(database->migrate("words", kBroken));
  EXPECT_TRUE(database->migrate("words", kSecond));
}

TEST_F(DatabaseTest, WhatIsNoDatabaseIsRefusedWithARemedy) {
  std::ofstream(path()) << std::string(8192, 'x');
  const auto database = Database::open(path());
  ASSERT_FALSE(database);
  EXPECT_EQ(database.error().kind, ErrorKind::malformed);
  EXPECT_NE(database.error().message().find("restore a back-up"), std::string::npos);
  EXPECT_FALSE(Database::open(folder_ + "/missing/a.db"));
}

TEST_F(DatabaseTest, ABackUpIsWholeWhileOthersWrite) {
  auto database = opened(path());
  for (int i = 0; i < 200; ++i)
    ASSERT_TRUE(add(*database, std::string(20'000, 'x')));
  std::atomic<bool> stop = false;
  std::atomic<int> written = 200;
  std::thread writer([&] {
    while (!stop && add(*database, "y"))
      ++written;
  });
  const auto done = database->back_up(path("copy.db"));
  stop = true;
  writer.join();
  ASSERT_TRUE(done) << done.error().message();
  auto copy = opened(path("copy.db"));
  EXPECT_GE(count(*copy), 200);
  EXPECT_LE(count(*copy), written);
  const auto healthy = copy->transact([](SQLite::Database& tables) -> Result<std::string> {
    return tables.execAndGet("PRAGMA integrity_check").getString();
  });
  EXPECT_EQ(healthy.value_or(""), "ok");
}

TEST_F(DatabaseTest, ABackUpTakesNoOtherFilesPlace) {
  auto database = opened("");
  std::ofstream(path("copy.db")) << "precious";
  const auto refused = database->back_up(path("copy.db"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(std::filesystem::file_size(path("copy.db")), 8U);
  EXPECT_FALSE(database->back_up(folder_ + "/missing/copy.db"));
}

// In a child with a mount namespace of its own: a file system of 1 MiB.
int fill_a_small_disk(const std::string& folder) {
  if (::unshare(CLONE_NEWNS) != 0 ||
      ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      ::mount("none", folder.c_str(), "tmpfs", 0, "size=1m") != 0) {
    return 77;
  }
  auto database = Database::open(folder + "/a.db");
  if (!database || !(*database)->migrate("words", kFirst)) return 1;
  int kept = 0;
  Result<void> done;
  while ((done = add(**database, std::string(50'000, 'x'))))
    ++kept;
  if (done.error().kind != ErrorKind::limit) return 2;
  const auto rows = [&] {
    return (*database)
        ->transact([](SQLite::Database& tables) -> Result<int> {
          return tables.execAndGet("SELECT count(*) FROM word").getInt();
        })
        .value_or(-1);
  };
  if (kept == 0 || rows() != kept) return 3;  // it still answers, and lost nothing
  if (::mount("none", folder.c_str(), "tmpfs", MS_REMOUNT, "size=8m") != 0) return 4;
  return add(**database, "y") && rows() == kept + 1 ? 0 : 5;  // and recovers by itself
}

TEST_F(DatabaseTest, AFullDiskIsALimitAndPasses) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) ::_exit(fill_a_small_disk(folder_));
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "needs the right to mount a tmpfs";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace beaconry
