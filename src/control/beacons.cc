#include "control/beacons.h"

#include <cstdlib>
#include <utility>

#include "base/text.h"
#include "store/columns.h"
#include "store/transaction.h"

namespace beaconry {
namespace {

constexpr const char* kMigrations[] = {
    "CREATE TABLE beacon (identity TEXT PRIMARY KEY, verdict TEXT NOT NULL, score REAL NOT NULL, "
    "severity INTEGER NOT NULL, is_beacon INTEGER NOT NULL, gone INTEGER NOT NULL, first_flagged "
    "INTEGER NOT NULL, last_flagged INTEGER NOT NULL, analyzed INTEGER NOT NULL, watch TEXT NOT "
    "NULL);"
    "CREATE INDEX beacon_by_score ON beacon (score DESC, identity);"
    "CREATE TABLE beacon_point (identity TEXT NOT NULL, time INTEGER NOT NULL, score REAL NOT "
    "NULL, severity INTEGER NOT NULL, PRIMARY KEY (identity, time)) WITHOUT ROWID;"
    // One row once anything was saved; deleting beacons does not make the store new again.
    "CREATE TABLE beacon_begun (begun INTEGER NOT NULL)",
    "CREATE TABLE beacon_removals (removals INTEGER NOT NULL);"
    "INSERT INTO beacon_removals VALUES (0);"
    "CREATE TRIGGER beacon_removed AFTER DELETE ON beacon BEGIN UPDATE beacon_removals SET "
    "removals = removals + 1; END",
    "ALTER TABLE beacon ADD COLUMN listed TEXT NOT NULL DEFAULT ''"};
constexpr Duration kPointInterval = std::chrono::hours{1};
constexpr std::size_t kMostOfAPage = 10'000;
constexpr double kSameScore = 0.005;  // as shown

constexpr const char* kColumns =
    "SELECT identity, verdict, score, severity, is_beacon, gone, first_flagged, last_flagged, "
    "analyzed, watch FROM beacon ";

Beacons::Beacon beacon_in(SQLite::Statement& row) {
  Beacons::Beacon beacon;
  beacon.identity = row.getColumn(0).getString();
  beacon.verdict = row.getColumn(1).getString();
  beacon.score = row.getColumn(2).getDouble();
  beacon.severity = row.getColumn(3).getInt();
  beacon.is_beacon = row.getColumn(4).getInt() != 0;
  beacon.gone = row.getColumn(5).getInt() != 0;
  beacon.first_flagged = time_in(row.getColumn(6));
  beacon.last_flagged = time_in(row.getColumn(7));
  beacon.analyzed = time_in(row.getColumn(8));
  beacon.watch = row.getColumn(9).getString();
  return beacon;
}

// The statements of save(), prepared once for all beacons of an analysis.
class Saver {
 public:
  explicit Saver(SQLite::Database& tables)
      : write_(tables,
               "INSERT INTO beacon VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON "
               "CONFLICT (identity) DO UPDATE SET verdict = ?2, score = ?3, severity = ?4, "
               "is_beacon = ?5, gone = ?6, last_flagged = max(last_flagged, ?8), analyzed = ?9, "
               "watch = ?10, listed = ?11"),
        last_(tables,
              "SELECT time, score, severity FROM beacon_point WHERE identity = ? ORDER BY time "
              "DESC LIMIT 1"),
        point_(tables, "INSERT OR REPLACE INTO beacon_point VALUES (?, ?, ?, ?)"),
        prune_(tables,
               "DELETE FROM beacon_point WHERE identity = ?1 AND time <= (SELECT time FROM "
               "beacon_point WHERE identity = ?1 ORDER BY time DESC LIMIT 1 OFFSET ?2)") {}

  void save(const Beacons::Beacon& beacon, const BeaconRow& row) {
    write_.reset();
    write_.bind(1, beacon.identity);
    write_.bind(2, beacon.verdict);
    write_.bind(3, beacon.score);
    write_.bind(4, beacon.severity);
    write_.bind(5, beacon.is_beacon ? 1 : 0);
    write_.bind(6, beacon.gone ? 1 : 0);
    write_.bind(7, to_column(beacon.first_flagged));
    write_.bind(8, to_column(beacon.last_flagged));
    write_.bind(9, to_column(beacon.analyzed));
    write_.bind(10, beacon.watch);
    write_.bind(11, row.to_text());
    write_.exec();
    if (!is_news(beacon)) return;
    point_.reset();
    point_.bind(1, beacon.identity);
    point_.bind(2, to_column(beacon.analyzed));
    point_.bind(3, beacon.score);
    point_.bind(4, beacon.severity);
    point_.exec();
    prune_.reset();
    prune_.bind(1, beacon.identity);
    prune_.bind(2, to_column(std::uint64_t{Beacons::kMostPoints}));
    prune_.exec();
  }

 private:
  bool is_news(const Beacons::Beacon& beacon) {
    last_.reset();
    last_.bind(1, beacon.identity);
    if (!last_.executeStep()) return true;
    return beacon.analyzed - time_in(last_.getColumn(0)) >= kPointInterval ||
           std::abs(beacon.score - last_.getColumn(1).getDouble()) >= kSameScore ||
           beacon.severity != last_.getColumn(2).getInt();
  }

  SQLite::Statement write_, last_, point_, prune_;
};

// "SCORE IDENTITY" of the last one of a page.
struct Cursor {
  double score = 0;
  std::string identity;
};
Result<Cursor> parse_cursor(const std::string& text) {
  const auto blank = text.find(' ');
  const auto score = parse_number(std::string_view(text).substr(0, blank));
  if (blank == std::string::npos || !score) {
    return fail(ErrorKind::usage, "list", "beacons",
                "the cursor '" + terminal_safe(text.substr(0, 60)) + "' is none of this list");
  }
  return Cursor{*score, text.substr(blank + 1)};
}

}  // namespace

Result<std::unique_ptr<Beacons>> Beacons::open(Database& database) {
  if (auto done = database.migrate("beacons", kMigrations); !done) {
    return tl::unexpected<Error>(std::move(done.error()));
  }
  std::unique_ptr<Beacons> beacons(new Beacons(database));
  if (auto done = beacons->load(); !done) return tl::unexpected<Error>(std::move(done.error()));
  return beacons;
}

Result<void> Beacons::load() {
  auto all = database_.transact([&](SQLite::Database& tables) -> Result<BeaconList> {
    // A verdict is long, and its row is short: only what has no row yet is read in full.
    SQLite::Statement rows(tables,
                           "SELECT identity, score, severity, is_beacon, gone, listed, CASE listed "
                           "WHEN '' THEN verdict ELSE '' END FROM beacon");
    BeaconList list;
    while (rows.executeStep()) {
      BeaconRow row;
      row.identity = rows.getColumn(0).getString();
      row.score = rows.getColumn(1).getDouble();
      row.severity = rows.getColumn(2).getInt();
      row.is_beacon = rows.getColumn(3).getInt() != 0;
      row.gone = rows.getColumn(4).getInt() != 0;
      if (!row.read(rows.getColumn(5).getString())) {
        row.read_verdict(rows.getColumn(6).getString());
      }
      list.put(std::move(row));
    }
    return list;
  });
  if (!all) return tl::unexpected<Error>(std::move(all.error()));
  const std::lock_guard lock(mutex_);
  list_ = std::move(*all);
  return {};
}

BeaconRow Beacons::row_of(const Beacon& beacon) const {
  BeaconRow row;
  if (beacon.row) {
    row = *beacon.row;
  } else {
    const std::lock_guard lock(mutex_);
    if (const BeaconRow* known = list_.find(beacon.identity)) row = *known;
  }
  if (!beacon.row && row.identity.empty()) row.read_verdict(beacon.verdict);
  row.identity = beacon.identity;
  row.score = beacon.score;
  row.severity = beacon.severity;
  row.is_beacon = beacon.is_beacon;
  row.gone = beacon.gone;
  return row;
}

BeaconList::Page Beacons::list(const BeaconList::Query& query) const {
  const std::lock_guard lock(mutex_);
  return list_.page(query);
}

Result<void> Beacons::save(std::span<const Beacon> beacons) {
  const std::lock_guard saving(saving_);
  std::vector<BeaconRow> rows;
  rows.reserve(beacons.size());
  for (const Beacon& beacon : beacons)
    rows.push_back(row_of(beacon));
  auto done = database_.transact([&](SQLite::Database& tables) -> Result<void> {
    tables.exec("INSERT INTO beacon_begun SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM beacon_begun)");
    Saver saver(tables);
    for (std::size_t i = 0; i < beacons.size(); ++i)
      saver.save(beacons[i], rows[i]);
    return {};
  });
  if (!done) return done;
  const std::lock_guard lock(mutex_);
  for (BeaconRow& row : rows)
    list_.put(std::move(row));
  return {};
}

Result<Beacons::Page> Beacons::page(const Query& query) const {
  Cursor cursor;
  if (!query.cursor.empty()) {
    auto parsed = parse_cursor(query.cursor);
    if (!parsed) return tl::unexpected<Error>(std::move(parsed.error()));
    cursor = std::move(*parsed);
  }
  const std::size_t limit = std::min(query.limit, kMostOfAPage);
  return database_.transact([&](SQLite::Database& tables) -> Result<Page> {
    Page page;
    const std::string matching = "score >= ?1 AND (?2 OR (is_beacon AND NOT gone)) ";
    SQLite::Statement count(tables, "SELECT count(*) FROM beacon WHERE " + matching);
    count.bind(1, query.least_score);
    count.bind(2, query.with_gone ? 1 : 0);
    count.executeStep();
    page.count = count_in(count.getColumn(0));
    SQLite::Statement rows(tables, kColumns + ("WHERE " + matching) +
                                       "AND (?3 OR (score, ?5) < (?4, identity)) "
                                       "ORDER BY score DESC, identity LIMIT ?6");
    rows.bind(1, query.least_score);
    rows.bind(2, query.with_gone ? 1 : 0);
    rows.bind(3, query.cursor.empty() ? 1 : 0);
    rows.bind(4, cursor.score);
    rows.bind(5, cursor.identity);
    rows.bind(6, to_column(std::uint64_t{limit} + 1));
    while (rows.executeStep()) {
      if (page.beacons.size() == limit) {
        const Beacon& last = page.beacons.back();
        char score[32];
        std::snprintf(score, sizeof score, "%.17g", last.score);
        page.next = score + (' ' + last.identity);
        break;
      }
      page.beacons.push_back(beacon_in(rows));
    }
    return page;
  });
}

Result<std::optional<Beacons::Beacon>> Beacons::find(const std::string& identity) const {
  return database_.transact([&](SQLite::Database& tables) -> Result<std::optional<Beacon>> {
    SQLite::Statement row(tables, std::string(kColumns) + "WHERE identity = ?");
    row.bind(1, identity);
    if (!row.executeStep()) return std::nullopt;
    return std::optional<Beacon>(beacon_in(row));
  });
}

Result<std::vector<Beacons::Beacon>> Beacons::all() const {
  return database_.transact([&](SQLite::Database& tables) -> Result<std::vector<Beacon>> {
    SQLite::Statement rows(tables, kColumns);
    std::vector<Beacon> beacons;
    while (rows.executeStep())
      beacons.push_back(beacon_in(rows));
    return beacons;
  });
}

Result<std::vector<Beacons::Point>> Beacons::history(const std::string& identity) const {
  return database_.transact([&](SQLite::Database& tables) -> Result<std::vector<Point>> {
    SQLite::Statement rows(
        tables, "SELECT time, score, severity FROM beacon_point WHERE identity = ? ORDER BY time");
    rows.bind(1, identity);
    std::vector<Point> points;
    while (rows.executeStep()) {
      points.push_back(
          {time_in(rows.getColumn(0)), rows.getColumn(1).getDouble(), rows.getColumn(2).getInt()});
    }
    return points;
  });
}

Result<bool> Beacons::remove(const std::string& identity) {
  const std::lock_guard saving(saving_);
  auto removed = database_.transact([&](SQLite::Database& tables) -> Result<bool> {
    SQLite::Statement points(tables, "DELETE FROM beacon_point WHERE identity = ?");
    points.bind(1, identity);
    points.exec();
    SQLite::Statement beacon(tables, "DELETE FROM beacon WHERE identity = ?");
    beacon.bind(1, identity);
    return beacon.exec() > 0;
  });
  if (!removed) return removed;
  const std::lock_guard lock(mutex_);
  list_.remove(identity);
  return removed;
}

Result<std::uint64_t> Beacons::remove_all() {
  const std::lock_guard saving(saving_);
  auto removed = database_.transact([&](SQLite::Database& tables) -> Result<std::uint64_t> {
    tables.exec("DELETE FROM beacon_point");
    return static_cast<std::uint64_t>(tables.exec("DELETE FROM beacon"));
  });
  if (!removed) return removed;
  const std::lock_guard lock(mutex_);
  list_.clear();
  return removed;
}

Result<bool> Beacons::empty() const {
  return database_.transact([&](SQLite::Database& tables) -> Result<bool> {
    return tables.execAndGet("SELECT count(*) FROM beacon_begun").getInt() == 0;
  });
}

Result<std::uint64_t> Beacons::removals() const {
  return database_.transact([&](SQLite::Database& tables) -> Result<std::uint64_t> {
    return count_in(tables.execAndGet("SELECT removals FROM beacon_removals"));
  });
}

Result<std::uint64_t> Beacons::expire(Timestamp before) {
  const std::lock_guard saving(saving_);
  auto expired = database_.transact([&](SQLite::Database& tables) -> Result<std::uint64_t> {
    SQLite::Statement beacons(tables, "DELETE FROM beacon WHERE last_flagged < ?");
    beacons.bind(1, to_column(before));
    const int gone = beacons.exec();
    if (gone > 0) {
      tables.exec("DELETE FROM beacon_point WHERE identity NOT IN (SELECT identity FROM beacon)");
    }
    return static_cast<std::uint64_t>(gone);
  });
  if (!expired || *expired == 0) return expired;
  if (auto done = load(); !done) return tl::unexpected<Error>(std::move(done.error()));
  return expired;
}

}  // namespace beaconry
