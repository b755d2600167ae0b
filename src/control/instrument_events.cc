#include "control/instrument_events.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/log.h"
#include "control/batch_cursor_rows.h"
#include "control/instrument_alert.h"
#include "store/columns.h"
#include "store/transaction.h"

namespace beaconry {
namespace {

constexpr const char* kMigrations[] = {
    "CREATE TABLE instrument_event (number INTEGER PRIMARY KEY AUTOINCREMENT, edge TEXT NOT NULL, "
    "uuid TEXT NOT NULL, sensor TEXT NOT NULL, instance TEXT NOT NULL, context TEXT NOT NULL, time "
    "INTEGER NOT NULL, accepted INTEGER NOT NULL, type TEXT NOT NULL, message TEXT NOT NULL, data "
    "TEXT NOT NULL, alert TEXT NOT NULL, UNIQUE (edge, uuid));"
    "CREATE INDEX instrument_event_by_time ON instrument_event (accepted);"
    "CREATE INDEX instrument_event_alerts ON instrument_event (edge, instance, type, accepted) "
    "WHERE alert <> '';"
    "CREATE TABLE instrument_event_cursor (edge TEXT NOT NULL, incarnation TEXT NOT NULL, batches "
    "TEXT NOT NULL, changed INTEGER NOT NULL, PRIMARY KEY (edge, incarnation));"
    "CREATE TABLE instrument_event_total (word TEXT PRIMARY KEY, count INTEGER NOT NULL)"};
constexpr BatchCursorRows kTaken{"instrument_event_cursor"};
constexpr std::size_t kMostOfAPage = 10'000;
constexpr std::uint64_t kPiece = 20'000;  // rows that a search looks at while it holds the database

constexpr const char* kColumns =
    "SELECT number, edge, sensor, accepted, instance, uuid, context, time, type, message, data, "
    "alert FROM instrument_event ";

InstrumentEvents::Kept kept_in(SQLite::Statement& row) {
  InstrumentEvents::Kept kept;
  kept.number = count_in(row.getColumn(0));
  kept.edge = row.getColumn(1).getString();
  kept.sensor = row.getColumn(2).getString();
  kept.accepted = time_in(row.getColumn(3));
  kept.event.instance = row.getColumn(4).getString();
  kept.event.uuid = row.getColumn(5).getString();
  kept.event.context_uuid = row.getColumn(6).getString();
  kept.event.time = time_in(row.getColumn(7));
  kept.event.type = row.getColumn(8).getString();
  kept.event.message = row.getColumn(9).getString();
  kept.event.data_json = row.getColumn(10).getString();
  kept.alert = row.getColumn(11).getString();
  return kept;
}

void add_total(SQLite::Database& tables, const char* word, std::uint64_t count) {
  if (count == 0) return;
  SQLite::Statement add(tables,
                        "INSERT INTO instrument_event_total VALUES (?1, ?2) ON CONFLICT (word) DO "
                        "UPDATE SET count = count + ?2");
  add.bind(1, word);
  add.bind(2, to_column(count));
  add.exec();
}

std::uint64_t alerts_since(SQLite::Database& tables, const std::string& edge,
                           const InstrumentEvent& event, Timestamp since) {
  SQLite::Statement count(tables,
                          "SELECT count(*) FROM instrument_event WHERE edge = ? AND instance = ? "
                          "AND type = ? AND accepted > ? AND alert <> ''");
  count.bind(1, edge);
  count.bind(2, event.instance);
  count.bind(3, event.type);
  count.bind(4, to_column(since));
  count.executeStep();
  return count_in(count.getColumn(0));
}

class Insert {
 public:
  explicit Insert(SQLite::Database& tables)
      : row_(tables,
             "INSERT OR IGNORE INTO instrument_event (edge, uuid, sensor, instance, context, time, "
             "accepted, type, message, data, alert) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)") {}
  bool operator()(const InstrumentEvents::Kept& kept) {  // false: it is there
    const InstrumentEvent& event = kept.event;
    row_.reset();
    row_.bind(1, kept.edge);
    row_.bind(2, event.uuid);
    row_.bind(3, kept.sensor);
    row_.bind(4, event.instance);
    row_.bind(5, event.context_uuid);
    row_.bind(6, to_column(event.time));
    row_.bind(7, to_column(kept.accepted));
    row_.bind(8, event.type);
    row_.bind(9, event.message);
    row_.bind(10, event.data_json);
    row_.bind(11, kept.alert);
    return row_.exec() > 0;
  }

 private:
  SQLite::Statement row_;
};

bool is_there(SQLite::Database& tables, const std::string& edge, const std::string& uuid) {
  SQLite::Statement row(tables, "SELECT 1 FROM instrument_event WHERE edge = ? AND uuid = ?");
  row.bind(1, edge);
  row.bind(2, uuid);
  return row.executeStep();
}

}  // namespace

std::string InstrumentEvents::Kept::source() const {
  return event.instance.empty() ? sensor : event.instance + '@' + sensor;
}

Result<std::unique_ptr<InstrumentEvents>> InstrumentEvents::open(const Parts& parts) {
  if (auto done = parts.database.migrate("instrument_events", kMigrations); !done) {
    return tl::unexpected<Error>(std::move(done.error()));
  }
  return std::unique_ptr<InstrumentEvents>(new InstrumentEvents(parts));
}

void InstrumentEvents::set_settings(const Settings& settings) {
  const std::lock_guard lock(mutex_);
  settings_ = settings;
}

Result<bool> InstrumentEvents::take(const Batch& batch, Timestamp now) {
  InstrumentRules rules;
  {
    const std::lock_guard lock(mutex_);
    rules = settings_.rules;
  }
  // Decisions are asked for before the database is held.
  std::vector<std::optional<Severity>> severities;
  std::vector<bool> muted;
  for (const InstrumentEvent& event : batch.events) {
    muted.push_back(false);
    auto severity = rules.severity_of(event.type);
    if (severity) {
      const Kept kept{0, batch.edge, batch.sensor, now, event, {}};
      const auto decision = parts_.triage.holds(kept.source(), 0, {}, now);
      if (!decision) return tl::unexpected<Error>(decision.error());
      if (*decision) severity.reset(), muted.back() = true;
    }
    severities.push_back(severity);
  }
  Totals news;
  std::vector<Kept> fresh;
  const auto done = parts_.database.transact([&](SQLite::Database& tables) -> Result<bool> {
    if (kTaken.read(tables, batch.edge, batch.incarnation).has(batch.sequence)) return false;
    Insert insert(tables);
    for (std::size_t i = 0; i < batch.events.size(); ++i) {
      Kept kept{0, batch.edge, batch.sensor, now, batch.events[i], {}};
      if (is_there(tables, batch.edge, kept.event.uuid)) {
        ++news.repeated;
        continue;
      }
      if (muted[i]) ++news.muted;
      if (severities[i]) {
        const std::uint64_t before =
            alerts_since(tables, batch.edge, kept.event, now - std::chrono::hours{1});
        if (before >= kMostAlertsAnHour) {
          ++news.limited;
        } else {
          const Alert alert =
              instrument_alert(kept, *severities[i], before + 1 == kMostAlertsAnHour, now);
          Leaks::hold(tables, alert);
          kept.alert = alert.id;
          ++news.alerts;
        }
      }
      if (insert(kept)) ++news.stored;
      fresh.push_back(std::move(kept));
    }
    kTaken.add(tables, batch.edge, batch.incarnation, {batch.sequence});
    add_total(tables, "stored", news.stored);
    add_total(tables, "repeated", news.repeated);
    add_total(tables, "alerts", news.alerts);
    add_total(tables, "limited", news.limited);
    add_total(tables, "muted", news.muted);
    return true;
  });
  if (!done || !*done || batch.replayed) return done;
  if (parts_.events.listeners() > 0) {
    for (const Kept& kept : fresh)
      parts_.events.publish("instrument_event", instrument_event_json(kept));
  }
  // What is kept is sent: now, or with a later tick.
  if (news.alerts > 0) {
    if (auto sent = parts_.leaks.send(); !sent) log_warning(sent.error().message());
  }
  return done;
}

Result<InstrumentEvents::Page> InstrumentEvents::page(const Query& query) const {
  const std::size_t limit = std::clamp<std::size_t>(query.limit, 1, kMostOfAPage);
  Page page;
  std::int64_t end =
      query.before == 0 ? std::numeric_limits<std::int64_t>::max() : to_column(query.before);
  const auto search = [&](SQLite::Database& tables) -> Result<void> {
    SQLite::Statement piece(tables,
                            "SELECT coalesce((SELECT number FROM instrument_event WHERE number < "
                            "?1 ORDER BY number DESC LIMIT 1 OFFSET ?2), 0)");
    piece.bind(1, end);
    piece.bind(2, to_column(kPiece - 1));
    piece.executeStep();
    const std::int64_t begin = piece.getColumn(0).getInt64();
    SQLite::Statement rows(
        tables, std::string(kColumns) +
                    "WHERE number < ?1 AND number >= ?2 AND (?3 = '' OR instance = ?3) AND (?4 = "
                    "'' OR sensor = ?4 OR edge = ?4) AND (?5 = '' OR uuid = ?5 OR context = ?5) "
                    "AND accepted >= ?6 ORDER BY number DESC");
    rows.bind(1, end);
    rows.bind(2, begin);
    rows.bind(3, query.instance);
    rows.bind(4, query.sensor);
    rows.bind(5, query.context);
    rows.bind(6, query.since ? to_column(*query.since) : std::numeric_limits<std::int64_t>::min());
    while (rows.executeStep()) {
      if (!query.type.empty() && !matches_pattern(query.type, rows.getColumn(8).getString())) {
        continue;
      }
      if (page.events.size() == limit) {
        page.next = page.events.back().number;
        return {};
      }
      page.events.push_back(kept_in(rows));
    }
    end = begin;
    return {};
  };
  while (end > 0 && page.next == 0) {
    if (auto done = parts_.database.transact(search); !done) {
      return tl::unexpected<Error>(std::move(done.error()));
    }
  }
  return page;
}

Result<bool> InstrumentEvents::knows_source(const std::string& source) const {
  const auto at = source.find('@');
  const std::string instance = at == std::string::npos ? std::string() : source.substr(0, at);
  const std::string sensor = at == std::string::npos ? source : source.substr(at + 1);
  return parts_.database.transact([&](SQLite::Database& tables) -> Result<bool> {
    SQLite::Statement row(
        tables, "SELECT 1 FROM instrument_event WHERE instance = ? AND sensor = ? LIMIT 1");
    row.bind(1, instance);
    row.bind(2, sensor);
    return row.executeStep();
  });
}

Result<InstrumentEvents::Totals> InstrumentEvents::totals() const {
  return parts_.database.transact([&](SQLite::Database& tables) -> Result<Totals> {
    Totals totals;
    SQLite::Statement row(tables, "SELECT word, count FROM instrument_event_total");
    while (row.executeStep()) {
      const std::string word = row.getColumn(0).getString();
      const std::uint64_t count = count_in(row.getColumn(1));
      if (word == "stored") totals.stored = count;
      if (word == "repeated") totals.repeated = count;
      if (word == "alerts") totals.alerts = count;
      if (word == "limited") totals.limited = count;
      if (word == "muted") totals.muted = count;
    }
    return totals;
  });
}

Result<std::uint64_t> InstrumentEvents::count() const {
  return parts_.database.transact([&](SQLite::Database& tables) -> Result<std::uint64_t> {
    return count_in(tables.execAndGet("SELECT count(*) FROM instrument_event"));
  });
}

Result<std::uint64_t> InstrumentEvents::prune(Timestamp now) {
  Settings settings;
  {
    const std::lock_guard lock(mutex_);
    settings = settings_;
  }
  return parts_.database.transact([&](SQLite::Database& tables) -> Result<std::uint64_t> {
    SQLite::Statement many(tables,
                           "DELETE FROM instrument_event WHERE number <= (SELECT number FROM "
                           "instrument_event ORDER BY number DESC LIMIT 1 OFFSET ?)");
    many.bind(1, to_column(settings.most));
    auto gone = static_cast<std::uint64_t>(many.exec());
    SQLite::Statement old(tables, "DELETE FROM instrument_event WHERE accepted < ?");
    old.bind(1, to_column(now - settings.retention));
    gone += static_cast<std::uint64_t>(old.exec());
    return gone;
  });
}

}  // namespace beaconry
