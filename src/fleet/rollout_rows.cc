#include "fleet/rollout_rows.h"

#include <utility>

#include "store/columns.h"
#include "store/transaction.h"

namespace beaconry {
namespace {

// AUTOINCREMENT: the number of one that was removed is never another's.
constexpr const char* kMigrations[] = {
    "CREATE TABLE fleet_rollout (id INTEGER PRIMARY KEY AUTOINCREMENT, target TEXT NOT NULL, who "
    "TEXT NOT NULL, started INTEGER NOT NULL, base INTEGER NOT NULL, before TEXT NOT NULL, after "
    "TEXT NOT NULL, version INTEGER NOT NULL, state TEXT NOT NULL)"};

std::shared_ptr<const std::string> text_in(const SQLite::Column& column) {
  return std::make_shared<const std::string>(column.getString());
}

Result<RolloutRow> row_in(SQLite::Statement& read) {
  auto rollout = Rollout::parse(read.getColumn(8).getString());
  if (!rollout) return tl::unexpected<Error>(std::move(rollout.error()));
  return RolloutRow{
      count_in(read.getColumn(0)), read.getColumn(1).getString(), read.getColumn(2).getString(),
      time_in(read.getColumn(3)),  count_in(read.getColumn(4)),   text_in(read.getColumn(5)),
      text_in(read.getColumn(6)),  count_in(read.getColumn(7)),   std::move(*rollout)};
}

}  // namespace

Result<void> make_rollout_table(Database& database) {
  return database.migrate("fleet_rollouts", kMigrations);
}

Result<std::vector<RolloutRow>> read_rollouts(Database& database) {
  return database.transact([&](SQLite::Database& tables) -> Result<std::vector<RolloutRow>> {
    SQLite::Statement read(tables, "SELECT * FROM fleet_rollout ORDER BY id");
    std::vector<RolloutRow> all;
    while (read.executeStep()) {
      auto row = row_in(read);
      if (!row) return tl::unexpected<Error>(std::move(row.error()));
      all.push_back(std::move(*row));
    }
    return all;
  });
}

Result<std::optional<RolloutRow>> read_rollout(Database& database, std::uint64_t id) {
  return database.transact([&](SQLite::Database& tables) -> Result<std::optional<RolloutRow>> {
    SQLite::Statement read(tables, "SELECT * FROM fleet_rollout WHERE id = ?");
    read.bind(1, to_column(id));
    if (!read.executeStep()) return std::optional<RolloutRow>{};
    auto row = row_in(read);
    if (!row) return tl::unexpected<Error>(std::move(row.error()));
    return std::optional<RolloutRow>(std::move(*row));
  });
}

Result<std::uint64_t> insert_rollout(Database& database, const RolloutRow& row) {
  return database.transact([&](SQLite::Database& tables) -> Result<std::uint64_t> {
    SQLite::Statement insert(tables,
                             "INSERT INTO fleet_rollout (target, who, started, base, before, "
                             "after, version, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
    insert.bind(1, row.target);
    insert.bind(2, row.who);
    insert.bind(3, to_column(row.started));
    insert.bind(4, to_column(row.base));
    insert.bind(5, *row.before);
    insert.bind(6, *row.after);
    insert.bind(7, to_column(row.version));
    insert.bind(8, row.rollout.to_json());
    insert.exec();
    return static_cast<std::uint64_t>(tables.getLastInsertRowid());
  });
}

Result<void> update_rollout(Database& database, const RolloutRow& row) {
  return database.transact([&](SQLite::Database& tables) -> Result<void> {
    SQLite::Statement update(
        tables, "UPDATE fleet_rollout SET after = ?, version = ?, state = ? WHERE id = ?");
    update.bind(1, *row.after);
    update.bind(2, to_column(row.version));
    update.bind(3, row.rollout.to_json());
    update.bind(4, to_column(row.id));
    update.exec();
    return {};
  });
}

Result<void> remove_rollout(Database& database, std::uint64_t id) {
  return database.transact([&](SQLite::Database& tables) -> Result<void> {
    SQLite::Statement remove(tables, "DELETE FROM fleet_rollout WHERE id = ?");
    remove.bind(1, to_column(id));
    remove.exec();
    return {};
  });
}

}  // namespace beaconry
