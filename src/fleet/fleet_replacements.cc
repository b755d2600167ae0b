#include "fleet/fleet_replacements.h"

#include <utility>

#include "store/columns.h"
#include "store/transaction.h"

namespace beaconry {
namespace {

constexpr const char* kMigrations[] = {
    "CREATE TABLE fleet_replacement (token TEXT PRIMARY KEY, sensor TEXT NOT NULL, machine TEXT "
    "NOT NULL, expires INTEGER NOT NULL)"};
constexpr auto kForgotten = std::chrono::hours{24 * 30};  // as the token itself

FleetReplacements::Replacement replacement_in(SQLite::Statement& read) {
  return {read.getColumn(0).getString(), read.getColumn(1).getString(),
          read.getColumn(2).getString()};
}

}  // namespace

Result<std::unique_ptr<FleetReplacements>> FleetReplacements::open(Database& database) {
  if (auto done = database.migrate("fleet_replacements", kMigrations); !done)
    return tl::unexpected<Error>(std::move(done.error()));
  return std::unique_ptr<FleetReplacements>(new FleetReplacements(database));
}

Result<void> FleetReplacements::expect(const Replacement& replacement, Timestamp expires,
                                       Timestamp now) {
  return database_.transact([&](SQLite::Database& tables) -> Result<void> {
    SQLite::Statement old(tables,
                          "DELETE FROM fleet_replacement WHERE machine = '' AND expires < ?");
    old.bind(1, to_column(now - kForgotten));
    old.exec();
    SQLite::Statement insert(tables, "INSERT INTO fleet_replacement VALUES (?, ?, '', ?)");
    insert.bind(1, replacement.token);
    insert.bind(2, replacement.sensor);
    insert.bind(3, to_column(expires));
    insert.exec();
    return {};
  });
}

Result<std::optional<FleetReplacements::Replacement>> FleetReplacements::redeem(
    const std::string& token, const std::string& machine) {
  return database_.transact([&](SQLite::Database& tables) -> Result<std::optional<Replacement>> {
    SQLite::Statement use(tables, "UPDATE fleet_replacement SET machine = ? WHERE token = ?");
    use.bind(1, machine);
    use.bind(2, token);
    if (use.exec() == 0) return std::optional<Replacement>{};
    SQLite::Statement read(tables,
                           "SELECT token, sensor, machine FROM fleet_replacement WHERE token = ?");
    read.bind(1, token);
    if (!read.executeStep()) return std::optional<Replacement>{};
    return std::optional<Replacement>(replacement_in(read));
  });
}

Result<std::vector<FleetReplacements::Replacement>> FleetReplacements::begun() const {
  return database_.transact([&](SQLite::Database& tables) -> Result<std::vector<Replacement>> {
    SQLite::Statement read(
        tables, "SELECT token, sensor, machine FROM fleet_replacement WHERE machine != ''");
    std::vector<Replacement> all;
    while (read.executeStep())
      all.push_back(replacement_in(read));
    return all;
  });
}

Result<void> FleetReplacements::done(const std::string& token) {
  return database_.transact([&](SQLite::Database& tables) -> Result<void> {
    SQLite::Statement remove(tables, "DELETE FROM fleet_replacement WHERE token = ?");
    remove.bind(1, token);
    remove.exec();
    return {};
  });
}

}  // namespace beaconry
