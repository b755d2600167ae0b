#include "control/alerts.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "store/columns.h"
#include "store/transaction.h"

namespace beaconry {
namespace {

constexpr const char* kMigrations[] = {
    "CREATE TABLE alert (number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, kind "
    "TEXT NOT NULL, severity INTEGER NOT NULL, subject TEXT NOT NULL, time INTEGER NOT NULL, title "
    "TEXT NOT NULL, description TEXT NOT NULL, source TEXT NOT NULL, details TEXT NOT NULL, tags "
    "TEXT NOT NULL, acknowledged INTEGER, acknowledged_by TEXT NOT NULL, acknowledged_words TEXT "
    "NOT NULL);"
    "CREATE INDEX alert_by_subject ON alert (subject, number);"
    "CREATE INDEX alert_by_severity ON alert (severity, number)"};
constexpr std::size_t kMostOfAPage = 10'000;

constexpr const char* kColumns =
    "SELECT number, id, kind, severity, subject, time, title, description, source, details, tags, "
    "acknowledged, acknowledged_by, acknowledged_words FROM alert ";

std::string tags_text(const std::vector<std::string>& tags) {
  return nlohmann::json(tags).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::vector<std::string> tags_in(const std::string& text) {
  std::vector<std::string> tags;
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_array()) return tags;
  for (const auto& tag : json) {
    if (tag.is_string()) tags.push_back(tag.get<std::string>());
  }
  return tags;
}

Alerts::Kept kept_in(SQLite::Statement& row) {
  Alerts::Kept kept;
  kept.number = count_in(row.getColumn(0));
  kept.alert.id = row.getColumn(1).getString();
  kept.alert.kind = row.getColumn(2).getString();
  kept.alert.severity = static_cast<Severity>(std::clamp(row.getColumn(3).getInt(), 0, 3));
  kept.alert.subject = row.getColumn(4).getString();
  kept.alert.time = time_in(row.getColumn(5));
  kept.alert.title = row.getColumn(6).getString();
  kept.alert.description = row.getColumn(7).getString();
  kept.alert.source = row.getColumn(8).getString();
  kept.alert.details = row.getColumn(9).getString();
  kept.alert.tags = tags_in(row.getColumn(10).getString());
  if (!row.getColumn(11).isNull()) kept.acknowledged = time_in(row.getColumn(11));
  kept.acknowledged_by = row.getColumn(12).getString();
  kept.acknowledged_words = row.getColumn(13).getString();
  return kept;
}

// Every filter is a parameter that may stand for "any": one statement for all queries.
constexpr const char* kMatching =
    "WHERE (?1 < 0 OR severity = ?1) AND severity >= ?2 AND (?3 = '' OR kind = ?3) AND (?4 = '' OR "
    "subject = ?4) AND (?5 < 0 OR (acknowledged IS NOT NULL) = ?5) ";

void bind_filters(SQLite::Statement& statement, const Alerts::Query& query) {
  statement.bind(1, query.severity ? static_cast<int>(*query.severity) : -1);
  statement.bind(2, query.least ? static_cast<int>(*query.least) : 0);
  statement.bind(3, query.kind);
  statement.bind(4, query.subject);
  statement.bind(5, query.acknowledged ? static_cast<int>(*query.acknowledged) : -1);
}

}  // namespace

Result<std::unique_ptr<Alerts>> Alerts::open(Database& database) {
  if (auto done = database.migrate("alerts", kMigrations); !done) {
    return tl::unexpected<Error>(std::move(done.error()));
  }
  return std::unique_ptr<Alerts>(new Alerts(database));
}

Result<void> Alerts::add(const Alert& alert) {
  return database_.transact([&](SQLite::Database& tables) -> Result<void> {
    SQLite::Statement insert(
        tables,
        "INSERT OR IGNORE INTO alert (id, kind, severity, subject, time, title, description, "
        "source, details, tags, acknowledged_by, acknowledged_words) VALUES (?, ?, ?, ?, ?, ?, ?, "
        "?, ?, ?, '', '')");
    insert.bind(1, alert.id);
    insert.bind(2, alert.kind);
    insert.bind(3, static_cast<int>(alert.severity));
    insert.bind(4, alert.subject);
    insert.bind(5, to_column(alert.time));
    insert.bind(6, alert.title);
    insert.bind(7, alert.description);
    insert.bind(8, alert.source);
    insert.bind(9, alert.details);
    insert.bind(10, tags_text(alert.tags));
    insert.exec();
    const auto newest = tables.getLastInsertRowid();
    if (newest > static_cast<std::int64_t>(kMostKept)) {
      SQLite::Statement prune(tables, "DELETE FROM alert WHERE number <= ?");
      prune.bind(1, newest - static_cast<std::int64_t>(kMostKept));
      prune.exec();
    }
    return {};
  });
}

Result<Alerts::Page> Alerts::page(const Query& query) const {
  const std::size_t limit = std::min(query.limit, kMostOfAPage);
  return database_.transact([&](SQLite::Database& tables) -> Result<Page> {
    Page page;
    SQLite::Statement count(tables, std::string("SELECT count(*) FROM alert ") + kMatching);
    bind_filters(count, query);
    count.executeStep();
    page.count = count_in(count.getColumn(0));
    SQLite::Statement rows(tables, std::string(kColumns) + kMatching +
                                       "AND (?6 = 0 OR number < ?6) ORDER BY number DESC LIMIT ?7");
    bind_filters(rows, query);
    rows.bind(6, to_column(query.before));
    rows.bind(7, to_column(std::uint64_t{limit} + 1));
    while (rows.executeStep()) {
      if (page.alerts.size() == limit) {
        page.next = limit == 0 ? 0 : page.alerts.back().number;
        break;
      }
      page.alerts.push_back(kept_in(rows));
    }
    return page;
  });
}

Result<std::optional<Alerts::Kept>> Alerts::find(const std::string& id) const {
  return database_.transact([&](SQLite::Database& tables) -> Result<std::optional<Kept>> {
    SQLite::Statement row(tables, std::string(kColumns) + "WHERE id = ?");
    row.bind(1, id);
    if (!row.executeStep()) return std::nullopt;
    return std::optional<Kept>(kept_in(row));
  });
}

Result<bool> Alerts::acknowledge(const std::string& id, const std::string& who,
                                 const std::string& words, Timestamp now) {
  return database_.transact([&](SQLite::Database& tables) -> Result<bool> {
    SQLite::Statement update(tables,
                             "UPDATE alert SET acknowledged = ?, acknowledged_by = ?, "
                             "acknowledged_words = ? WHERE id = ?");
    update.bind(1, to_column(now));
    update.bind(2, who);
    update.bind(3, words);
    update.bind(4, id);
    return update.exec() > 0;
  });
}

Result<bool> Alerts::remove(const std::string& id) {
  return database_.transact([&](SQLite::Database& tables) -> Result<bool> {
    SQLite::Statement remove(tables, "DELETE FROM alert WHERE id = ?");
    remove.bind(1, id);
    return remove.exec() > 0;
  });
}

Result<std::uint64_t> Alerts::remove_all() {
  return database_.transact([&](SQLite::Database& tables) -> Result<std::uint64_t> {
    return static_cast<std::uint64_t>(tables.exec("DELETE FROM alert"));
  });
}

Result<std::uint64_t> Alerts::count() const {
  return database_.transact([&](SQLite::Database& tables) -> Result<std::uint64_t> {
    return count_in(tables.execAndGet("SELECT count(*) FROM alert"));
  });
}

}  // namespace beaconry
