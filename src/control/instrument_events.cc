#include "control/instrument_events.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/log.h"
#include "base/text.h"
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
    "CREATE TABLE instrument_event_total (word TEXT PRIMARY KEY, count INTEGER NOT NULL)",
    // An index by uuid costs a page of its own for each event: which are there is known in memory.
    "CREATE TABLE instrument_event_2 (number INTEGER PRIMARY KEY AUTOINCREMENT, edge TEXT NOT "
    "NULL, uuid TEXT NOT NULL, sensor TEXT NOT NULL, instance TEXT NOT NULL, context TEXT NOT "
    "NULL, time INTEGER NOT NULL, accepted INTEGER NOT NULL, type TEXT NOT NULL, message TEXT NOT "
    "NULL, data TEXT NOT NULL, alert TEXT NOT NULL);"
    "INSERT INTO instrument_event_2 SELECT number, edge, uuid, sensor, instance, context, time, "
    "accepted, type, message, data, alert FROM instrument_event ORDER BY number;"
    "DELETE FROM sqlite_sequence WHERE name = 'instrument_event_2';"
    "INSERT INTO sqlite_sequence SELECT 'instrument_event_2', seq FROM sqlite_sequence WHERE name "
    "= 'instrument_event';"
    "DROP TABLE instrument_event;"
    "ALTER TABLE instrument_event_2 RENAME TO instrument_event;"
    "CREATE INDEX instrument_event_by_type ON instrument_event (type, accepted);"
    "CREATE INDEX instrument_event_alerts ON instrument_event (edge, instance, type, accepted) "
    "WHERE alert <> '';"
    "CREATE INDEX instrument_event_cursor_by_change ON instrument_event_cursor (changed)"};
constexpr BatchCursorRows kTaken{"instrument_event_cursor"};
constexpr std::size_t kMostOfAPage = 10'000;
constexpr auto kOutOfOrder = std::chrono::hours{1};
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
             "INSERT INTO instrument_event (edge, uuid, sensor, instance, context, time, "
             "accepted, type, message, data, alert) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)") {}
  void operator()(const InstrumentEvents::Kept& kept) {
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
    row_.exec();
  }

 private:
  SQLite::Statement row_;
};

// Whether each word stands somewhere in what an event says.
bool says(SQLite::Statement& row, const std::vector<std::string>& words) {
  if (words.empty()) return true;
  std::string all;
  for (const int column : {8, 9, 10})
    all += ascii_lower(row.getColumn(column).getString()) + '\n';
  return std::all_of(words.begin(), words.end(),
                     [&](const std::string& word) { return all.find(word) != std::string::npos; });
}

}  // namespace

std::string InstrumentEvents::Kept::source() const {
  return event.instance.empty() ? sensor : event.instance + '@' + sensor;
}

Result<std::unique_ptr<InstrumentEvents>> InstrumentEvents::open(const Parts& parts) {
  if (auto done = parts.database.migrate("instrument_events", kMigrations); !done) {
    return tl::unexpected<Error>(std::move(done.error()));
  }
  std::unique_ptr<InstrumentEvents> events(new InstrumentEvents(parts));
  if (auto done = events->load(); !done) return tl::unexpected<Error>(std::move(done.error()));
  return events;
}

Result<void> InstrumentEvents::load() {
  return parts_.database.transact([&](SQLite::Database& tables) -> Result<void> {
    SQLite::Statement rows(tables, "SELECT edge, uuid FROM instrument_event");
    while (rows.executeStep())
      known_->add(rows.getColumn(0).getText(), rows.getColumn(1).getText());
    return {};
  });
}

void InstrumentEvents::set_settings(const Settings& settings) {
  const std::lock_guard lock(mutex_);
  settings_ = settings;
}

struct InstrumentEvents::Pending {
  const Batch& batch;
  Timestamp now;
  std::vector<std::optional<Severity>> severities;  // of its events: which become alerts
  std::vector<bool> muted;

  bool is_done = false;
  Result<bool> answer = false;
  Totals news;
  std::vector<Kept> fresh;
};

Result<bool> InstrumentEvents::take(const Batch& batch, Timestamp now) {
  InstrumentRules rules;
  {
    const std::lock_guard lock(mutex_);
    rules = settings_.rules;
  }
  Pending mine{batch, now, {}, {}, false, false, {}, {}};
  // Decisions are asked for before the database is held.
  for (const InstrumentEvent& event : batch.events) {
    mine.muted.push_back(false);
    auto severity = rules.severity_of(event.type);
    if (severity) {
      const std::string source =
          event.instance.empty() ? batch.sensor : event.instance + '@' + batch.sensor;
      const auto decision = parts_.triage.holds(source, 0, {}, now);
      if (!decision) return tl::unexpected<Error>(decision.error());
      if (*decision) severity.reset(), mine.muted.back() = true;
    }
    mine.severities.push_back(severity);
  }
  {
    std::unique_lock lock(writing_mutex_);
    waiting_.push_back(&mine);
    written_.wait(lock, [&] { return mine.is_done || !is_writing_; });
    if (!mine.is_done) {
      is_writing_ = true;
      const std::deque<Pending*> group = std::exchange(waiting_, {});
      lock.unlock();
      const auto written = write(group);
      lock.lock();
      for (Pending* one : group) {
        one->is_done = true;
        if (!written) one->answer = tl::unexpected<Error>(written.error());
      }
      is_writing_ = false;
      written_.notify_all();
    }
  }
  if (!mine.answer || !*mine.answer || batch.replayed) return mine.answer;
  if (parts_.events.listeners() > 0) {
    for (const Kept& kept : mine.fresh)
      parts_.events.publish("instrument_event", instrument_event_json(kept));
  }
  // What is kept is sent: now, or with a later tick.
  if (mine.news.alerts > 0) {
    if (auto sent = parts_.leaks.send(); !sent) log_warning(sent.error().message());
  }
  return mine.answer;
}

// All of the group in one transaction, or nothing of it.
Result<void> InstrumentEvents::write(const std::deque<Pending*>& group) {
  const std::lock_guard known(known_mutex_);
  std::vector<KnownEvents::Id> added;
  auto done = parts_.database.transact([&](SQLite::Database& tables) -> Result<void> {
    Insert insert(tables);
    Totals sums;
    for (Pending* one : group) {
      const Batch& batch = one->batch;
      one->answer = !kTaken.read(tables, batch.edge, batch.incarnation).has(batch.sequence);
      if (!*one->answer) continue;
      for (std::size_t i = 0; i < batch.events.size(); ++i) {
        const KnownEvents::Id id = KnownEvents::id_of(batch.edge, batch.events[i].uuid);
        if (!known_->add(id)) {
          ++one->news.repeated;
          continue;
        }
        added.push_back(id);
        Kept kept{0, batch.edge, batch.sensor, one->now, batch.events[i], {}};
        if (one->muted[i]) ++one->news.muted;
        if (one->severities[i]) {
          const std::uint64_t before =
              alerts_since(tables, batch.edge, kept.event, one->now - std::chrono::hours{1});
          if (before >= kMostAlertsAnHour) {
            ++one->news.limited;
          } else {
            const Alert alert = instrument_alert(kept, *one->severities[i],
                                                 before + 1 == kMostAlertsAnHour, one->now);
            Leaks::hold(tables, alert);
            kept.alert = alert.id;
            ++one->news.alerts;
          }
        }
        insert(kept);
        ++one->news.stored;
        one->fresh.push_back(std::move(kept));
      }
      kTaken.add(tables, batch.edge, batch.incarnation, {batch.sequence});
      sums.stored += one->news.stored;
      sums.repeated += one->news.repeated;
      sums.alerts += one->news.alerts;
      sums.limited += one->news.limited;
      sums.muted += one->news.muted;
    }
    add_total(tables, "stored", sums.stored);
    add_total(tables, "repeated", sums.repeated);
    add_total(tables, "alerts", sums.alerts);
    add_total(tables, "limited", sums.limited);
    add_total(tables, "muted", sums.muted);
    return {};
  });
  if (!done) {
    for (const KnownEvents::Id& id : added)
      known_->remove(id);
  }
  return done;
}

Result<InstrumentEvents::Page> InstrumentEvents::page(const Query& query) const {
  const std::size_t limit = std::clamp<std::size_t>(query.limit, 1, kMostOfAPage);
  std::vector<std::string> words;
  for (const std::string_view word : split(query.words, ' ')) {
    if (!word.empty()) words.push_back(ascii_lower(word));
  }
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
                    "AND accepted >= ?6 AND accepted < ?7 ORDER BY number DESC");
    rows.bind(1, end);
    rows.bind(2, begin);
    rows.bind(3, query.instance);
    rows.bind(4, query.sensor);
    rows.bind(5, query.context);
    rows.bind(6, query.since ? to_column(*query.since) : std::numeric_limits<std::int64_t>::min());
    rows.bind(7, query.until ? to_column(*query.until) : std::numeric_limits<std::int64_t>::max());
    while (rows.executeStep()) {
      if (!says(rows, words)) continue;
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
    if (query.since && begin > 0) {
      // Numbers go with times, but for what several threads brought at once.
      SQLite::Statement oldest(tables, "SELECT accepted FROM instrument_event WHERE number = ?");
      oldest.bind(1, begin);
      if (oldest.executeStep() && time_in(oldest.getColumn(0)) + kOutOfOrder < *query.since) {
        end = 0;
      }
    }
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
  const std::lock_guard known(known_mutex_);
  std::vector<KnownEvents::Id> removed;
  const auto take_out = [&](SQLite::Statement& rows) {
    while (rows.executeStep())
      removed.push_back(
          KnownEvents::id_of(rows.getColumn(0).getText(), rows.getColumn(1).getText()));
  };
  const auto work = [&](SQLite::Database& tables) -> Result<void> {
    SQLite::Statement many(tables,
                           "DELETE FROM instrument_event WHERE number <= (SELECT number FROM "
                           "instrument_event ORDER BY number DESC LIMIT 1 OFFSET ?) RETURNING "
                           "edge, uuid");
    many.bind(1, to_column(settings.most));
    take_out(many);
    SQLite::Statement next(tables, "SELECT min(type) FROM instrument_event WHERE type > ?");
    SQLite::Statement old(
        tables,
        "DELETE FROM instrument_event WHERE type = ? AND accepted < ? RETURNING edge, uuid");
    for (std::string type;;) {
      next.reset();
      next.bind(1, type);
      if (!next.executeStep() || next.getColumn(0).isNull()) return {};
      type = next.getColumn(0).getString();
      next.reset();
      old.reset();
      old.bind(1, type);
      old.bind(2, to_column(now - settings.retention_of.of(type).value_or(settings.retention)));
      take_out(old);
    }
  };
  if (auto done = parts_.database.transact(work); !done) {
    return tl::unexpected<Error>(std::move(done.error()));
  }
  for (const KnownEvents::Id& id : removed)
    known_->remove(id);
  return removed.size();
}

}  // namespace beaconry
