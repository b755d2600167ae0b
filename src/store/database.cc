#include "store/database.h"

#include <SQLiteCpp/Backup.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "base/fd.h"
#include "store/transaction.h"

namespace beaconry {
namespace {

constexpr int kBusyMilliseconds = 10'000;  // for another process, such as a back-up
constexpr int kPagesAStep = 256;           // of a back-up; others may work between two steps

// What the library threw, in our words. A full disk shows as SQLITE_FULL, or as a failed write
// where the file system told so.
tl::unexpected<Error> failure(const std::string& operation, const std::string& subject,
                              const SQLite::Exception& thrown, sqlite3* handle) {
  const int code = thrown.getErrorCode();
  const bool no_room =
      handle != nullptr && code == SQLITE_IOERR &&
      (sqlite3_system_errno(handle) == ENOSPC || sqlite3_system_errno(handle) == EDQUOT);
  if (code == SQLITE_FULL || no_room) {
    return fail(ErrorKind::limit, operation, subject, "no space left on the disk");
  }
  if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB) {
    return fail(ErrorKind::malformed, operation, subject,
                std::string(thrown.what()) + "; restore a back-up or move the file away");
  }
  return fail(ErrorKind::io, operation, subject, thrown.what());
}

Result<void> make_file(const std::string& path) {
  const Fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file) return fail_errno("open", path);
  return {};
}

Result<void> sync_file(const std::string& path, int flags) {
  const Fd file(::open(path.c_str(), flags | O_CLOEXEC));
  if (!file || ::fsync(file.get()) != 0) return fail_errno("sync", path);
  return {};
}

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

struct Database::Parts {
  std::string name;  // as errors say it
  std::mutex mutex;  // one caller at a time
  std::unique_ptr<SQLite::Database> database;
};

Database::Database(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Database::~Database() = default;

Result<std::unique_ptr<Database>> Database::open(const std::string& path) {
  auto parts = std::make_unique<Parts>();
  parts->name = path.empty() ? "the database in memory" : path;
  if (!path.empty()) {
    if (auto made = make_file(path); !made) {
      return tl::unexpected<Error>(std::move(made.error()));
    }
  }
  try {
    parts->database = std::make_unique<SQLite::Database>(path.empty() ? ":memory:" : path,
                                                         SQLite::OPEN_READWRITE, kBusyMilliseconds);
    SQLite::Database& database = *parts->database;
    if (!path.empty()) {
      database.exec("PRAGMA journal_mode = WAL");
      database.exec("PRAGMA synchronous = FULL");
    }
    database.exec("PRAGMA foreign_keys = ON");
    database.exec("PRAGMA trusted_schema = OFF");
    database.exec("PRAGMA secure_delete = ON");  // what is revoked or deleted is gone
    database.exec(
        "CREATE TABLE IF NOT EXISTS module (name TEXT PRIMARY KEY, version INTEGER NOT NULL)");
  } catch (const SQLite::Exception& thrown) {
    return failure("open", parts->name, thrown,
                   parts->database ? parts->database->getHandle() : nullptr);
  }
  return std::unique_ptr<Database>(new Database(std::move(parts)));
}

Result<void> Database::run(const std::function<Result<void>(SQLite::Database&)>& work) {
  const std::lock_guard lock(parts_->mutex);
  SQLite::Database& database = *parts_->database;
  try {
    // IMMEDIATE: a transaction that reads before it writes would otherwise fail if another process
    // wrote in between.
    SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
    if (auto done = work(database); !done) return done;
    transaction.commit();
    return {};
  } catch (const SQLite::Exception& thrown) {
    return failure("use", parts_->name, thrown, database.getHandle());
  }
}

Result<void> Database::migrate(const std::string& module, std::span<const char* const> steps) {
  return run([&](SQLite::Database& database) -> Result<void> {
    SQLite::Statement read(database, "SELECT version FROM module WHERE name = ?");
    read.bind(1, module);
    const auto version =
        read.executeStep() ? static_cast<std::size_t>(read.getColumn(0).getInt64()) : 0;
    if (version > steps.size()) {
      return fail(ErrorKind::unsupported, "open", parts_->name,
                  "'" + module + "' is of version " + std::to_string(version) +
                      ", this program knows " + std::to_string(steps.size()) +
                      "; use the newer program that wrote it");
    }
    if (version == steps.size()) return {};
    for (const char* step : steps.subspan(version))
      database.exec(step);
    SQLite::Statement write(database, "INSERT OR REPLACE INTO module VALUES (?, ?)");
    write.bind(1, module);
    write.bind(2, static_cast<std::int64_t>(steps.size()));
    write.exec();
    return {};
  });
}

Result<void> Database::back_up(const std::string& path) {
  const std::string part = path + ".part";
  ::unlink(part.c_str());  // of a back-up that was interrupted
  if (::access(path.c_str(), F_OK) == 0) {
    return fail(ErrorKind::usage, "write", path, "it is there already; name a file that is not");
  }
  const auto give_up = [&](tl::unexpected<Error> error) -> Result<void> {
    ::unlink(part.c_str());
    return error;
  };
  if (auto made = make_file(part); !made) return made;
  try {
    SQLite::Database copy(part, SQLite::OPEN_READWRITE);
    std::unique_ptr<SQLite::Backup> backup;
    {
      const std::lock_guard lock(parts_->mutex);
      backup = std::make_unique<SQLite::Backup>(copy, *parts_->database);
    }
    // What is written through the same connection meanwhile, the copy gets as well.
    for (int status = SQLITE_OK; status != SQLITE_DONE;) {
      const std::lock_guard lock(parts_->mutex);
      status = backup->executeStep(kPagesAStep);
    }
    const std::lock_guard lock(parts_->mutex);
    backup.reset();
  } catch (const SQLite::Exception& thrown) {
    return give_up(failure("write", path, thrown, nullptr));
  }
  if (auto synced = sync_file(part, O_RDWR); !synced) {
    return give_up(tl::unexpected<Error>(std::move(synced.error())));
  }
  // A link, unlike a rename, takes no other file's place.
  if (::link(part.c_str(), path.c_str()) != 0) return give_up(fail_errno("write", path));
  ::unlink(part.c_str());
  return sync_file(folder_of(path), O_RDONLY | O_DIRECTORY);
}

}  // namespace beaconry
