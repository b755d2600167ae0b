#include "control/audit.h"

#include <utility>

#include "base/text.h"
#include "store/columns.h"
#include "store/transaction.h"

namespace beaconry {
namespace {

constexpr const char* kMigrations[] = {
    "CREATE TABLE audit (id INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL, who TEXT NOT "
    "NULL, role TEXT NOT NULL, address TEXT NOT NULL, action TEXT NOT NULL, object TEXT NOT NULL, "
    "before TEXT NOT NULL, after TEXT NOT NULL, outcome TEXT NOT NULL, failed_login INTEGER NOT "
    "NULL)",
    "CREATE INDEX audit_kind ON audit (failed_login, id)",
    "ALTER TABLE audit RENAME COLUMN failed_login TO by_nobody"};
constexpr std::size_t kLongestText = 512, kLongestValue = 16 << 10;
constexpr std::int64_t kPrunedEvery = 64;  // lines: counting many takes long

std::string bounded(const std::string& text) {
  return utf8_valid(std::string_view(text).substr(0, kLongestText));
}

}  // namespace

Result<std::unique_ptr<Audit>> Audit::open(Database& database, Bounds bounds) {
  if (auto done = database.migrate("audit", kMigrations); !done) {
    return tl::unexpected<Error>(std::move(done.error()));
  }
  return std::unique_ptr<Audit>(new Audit(database, bounds));
}

Result<void> Audit::record(const Entry& entry) {
  return database_.transact([&](SQLite::Database& tables) -> Result<void> {
    SQLite::Statement insert(tables,
                             "INSERT INTO audit (time, who, role, address, action, object, before, "
                             "after, outcome, by_nobody) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    insert.bind(1, to_column(entry.time));
    insert.bind(2, bounded(entry.who));
    insert.bind(3, std::string(to_string(entry.role)));
    insert.bind(4, bounded(entry.address));
    insert.bind(5, bounded(entry.action));
    insert.bind(6, bounded(entry.object));
    // Half a JSON value would be none.
    const std::string too_long = R"("too long to be kept here")";
    insert.bind(7, entry.before.size() > kLongestValue ? too_long : entry.before);
    insert.bind(8, entry.after.size() > kLongestValue ? too_long : entry.after);
    insert.bind(9, bounded(entry.outcome));
    insert.bind(10, entry.by_nobody ? 1 : 0);
    insert.exec();
    if (tables.getLastInsertRowid() % kPrunedEvery != 0) return {};
    SQLite::Statement prune(
        tables,
        "DELETE FROM audit WHERE by_nobody = ?1 AND id <= (SELECT id FROM audit WHERE "
        "by_nobody = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)");
    prune.bind(1, entry.by_nobody ? 1 : 0);
    prune.bind(2, to_column(entry.by_nobody ? bounds_.by_nobody : bounds_.most));
    prune.exec();
    return {};
  });
}

Result<std::vector<Audit::Entry>> Audit::list(const Wanted& wanted) const {
  return database_.transact([&](SQLite::Database& tables) -> Result<std::vector<Entry>> {
    SQLite::Statement read(
        tables,
        "SELECT id, time, who, role, address, action, object, before, after, outcome FROM audit "
        "WHERE (?1 IS NULL OR time >= ?1) AND (?2 IS NULL OR who = ?2) AND (?3 IS NULL OR id < ?3) "
        "ORDER BY id DESC LIMIT ?4");
    bind_time(read, 1, wanted.since);
    wanted.who ? read.bind(2, *wanted.who) : read.bind(2);
    wanted.before ? read.bind(3, to_column(*wanted.before)) : read.bind(3);
    read.bind(4, to_column(std::uint64_t{wanted.limit}));
    std::vector<Entry> found;
    while (read.executeStep()) {
      Entry entry;
      entry.id = count_in(read.getColumn(0));
      entry.time = time_in(read.getColumn(1));
      entry.who = read.getColumn(2).getString();
      entry.role = parse_role(read.getColumn(3).getString()).value_or(Role::none);
      entry.address = read.getColumn(4).getString();
      entry.action = read.getColumn(5).getString();
      entry.object = read.getColumn(6).getString();
      entry.before = read.getColumn(7).getString();
      entry.after = read.getColumn(8).getString();
      entry.outcome = read.getColumn(9).getString();
      found.push_back(std::move(entry));
    }
    return found;
  });
}

}  // namespace beaconry
