#pragma once
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <type_traits>

#include "base/result.h"

namespace SQLite {
class Database;
}

namespace beaconry {

// The server's SQLite database. Each module owns its tables and brings them by migrations. One
// connection, used by one caller at a time; any thread may call. Exceptions of the library become
// Errors (a full disk: ErrorKind::limit).
class Database {
 public:
  // A file, made with mode 0600 if missing, in WAL mode with synchronous=FULL: what a finished
  // transaction wrote survives a power cut. Empty path: in memory, gone with the object.
  static Result<std::unique_ptr<Database>> open(const std::string& path);
  ~Database();

  // Brings a module's tables up to date: the statements not run yet, in order, each once, all in
  // one transaction. A database of a later version than the program is refused.
  Result<void> migrate(const std::string& module, std::span<const char* const> steps);

  // Runs `work(SQLite::Database&)` in a transaction that is rolled back if it throws or returns an
  // error. `work` returns a Result. Defined in store/transaction.h, which .cc files include.
  template <class Work>
  auto transact(const Work& work) -> std::invoke_result_t<Work, SQLite::Database&>;

  Result<void> back_up(const std::string& path);  // while in use; the file must not exist

 private:
  struct Parts;
  explicit Database(std::unique_ptr<Parts> parts);
  Result<void> run(const std::function<Result<void>(SQLite::Database&)>& work);
  std::unique_ptr<Parts> parts_;
};

}  // namespace beaconry
