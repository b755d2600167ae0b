#include "control/observations.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "base/log.h"
#include "control/batch_cursor_rows.h"
#include "store/columns.h"
#include "store/transaction.h"

namespace beaconry {
namespace {

constexpr const char* kMigrations[] = {
    "CREATE TABLE observation_batch (id INTEGER PRIMARY KEY, edge TEXT NOT NULL, incarnation TEXT "
    "NOT NULL, sequence INTEGER NOT NULL, accepted INTEGER NOT NULL, UNIQUE (edge, incarnation, "
    "sequence));"
    "CREATE INDEX observation_batch_by_time ON observation_batch (accepted);"
    "CREATE TABLE observation (number INTEGER PRIMARY KEY AUTOINCREMENT, batch INTEGER NOT NULL, "
    "position INTEGER NOT NULL, received INTEGER NOT NULL, class INTEGER NOT NULL, authenticity "
    "INTEGER NOT NULL, carrier INTEGER NOT NULL, receiver TEXT NOT NULL, retired INTEGER NOT NULL, "
    "probe TEXT NOT NULL, method INTEGER NOT NULL, ping BLOB, source TEXT NOT NULL, destination "
    "TEXT NOT NULL, source_port INTEGER NOT NULL, destination_port INTEGER NOT NULL, protocol "
    "INTEGER NOT NULL, ttl INTEGER NOT NULL, raw BLOB, leak TEXT NOT NULL, UNIQUE (batch, "
    "position));"
    "CREATE INDEX observation_by_leak ON observation (leak, number);"
    "CREATE INDEX observation_by_probe ON observation (probe, number);"
    "CREATE TABLE observation_total (class INTEGER PRIMARY KEY, count INTEGER NOT NULL);"
    // Batches accepted up to here are not listed any more.
    "CREATE TABLE observation_horizon (accepted INTEGER NOT NULL);"
    "INSERT INTO observation_horizon VALUES (0)",
    // Batches are known by their numbers, not by a time; what anybody can cause is told apart.
    "DROP TABLE observation_horizon;"
    "CREATE TABLE observation_cursor (edge TEXT NOT NULL, incarnation TEXT NOT NULL, batches TEXT "
    "NOT NULL, changed INTEGER NOT NULL, PRIMARY KEY (edge, incarnation));"
    "ALTER TABLE observation ADD COLUMN noise INTEGER NOT NULL DEFAULT 0;"
    "UPDATE observation SET noise = 1 WHERE authenticity = 3 OR class = 3;"
    "CREATE INDEX observation_by_noise ON observation (noise, number)"};
constexpr std::size_t kMostOfAPage = 10'000;
constexpr std::uint64_t kPiece = 20'000;  // rows that a search looks at while it holds the database

constexpr const char* kColumns =
    "SELECT number, coalesce((SELECT edge FROM observation_batch WHERE id = batch), ''), received, "
    "class, authenticity, carrier, receiver, retired, ping, source, destination, source_port, "
    "destination_port, protocol, ttl, raw, leak FROM observation ";

IpAddress address_in(const SQLite::Column& column) {
  return IpAddress::parse(column.getString()).value_or(IpAddress());
}

std::string bytes_in(const SQLite::Column& column) {
  if (column.getBytes() == 0) return {};
  return {static_cast<const char*>(column.getBlob()), static_cast<std::size_t>(column.getBytes())};
}

std::uint8_t octet_in(const SQLite::Column& column) {
  return static_cast<std::uint8_t>(column.getInt());
}

std::uint16_t port_in(const SQLite::Column& column) {
  return static_cast<std::uint16_t>(column.getInt());
}

Observations::Kept kept_in(SQLite::Statement& row) {
  Observations::Kept kept;
  kept.number = count_in(row.getColumn(0));
  kept.edge = row.getColumn(1).getString();
  Observation& seen = kept.judged.seen;
  seen.received = time_in(row.getColumn(2));
  kept.judged.what = static_cast<ObservationClass>(octet_in(row.getColumn(3)));
  seen.authenticity = static_cast<Authenticity>(octet_in(row.getColumn(4)));
  seen.carrier = static_cast<Carrier>(octet_in(row.getColumn(5)));
  seen.receiver = row.getColumn(6).getString();
  seen.retired = row.getColumn(7).getInt() != 0;
  if (const std::string ping = bytes_in(row.getColumn(8)); !ping.empty()) {
    if (auto decoded = decode_ping(as_bytes(ping))) seen.ping = *decoded;
  }
  seen.source = address_in(row.getColumn(9));
  seen.destination = address_in(row.getColumn(10));
  seen.source_port = port_in(row.getColumn(11));
  seen.destination_port = port_in(row.getColumn(12));
  seen.protocol = octet_in(row.getColumn(13));
  seen.ttl = octet_in(row.getColumn(14));
  seen.raw = bytes_in(row.getColumn(15));
  kept.judged.leak = row.getColumn(16).getString();
  return kept;
}

void write_row(SQLite::Statement& insert, std::int64_t batch, std::size_t position,
               const JudgedObservation& judged) {
  const Observation& seen = judged.seen;
  const bool known = seen.authenticity != Authenticity::unknown_key;
  insert.reset();
  insert.clearBindings();
  insert.bind(1, batch);
  insert.bind(2, to_column(std::uint64_t{position}));
  insert.bind(3, to_column(seen.received));
  insert.bind(4, static_cast<int>(judged.what));
  insert.bind(5, static_cast<int>(seen.authenticity));
  insert.bind(6, static_cast<int>(seen.carrier));
  insert.bind(7, seen.receiver);
  insert.bind(8, seen.retired ? 1 : 0);
  insert.bind(9, known ? seen.ping.probe.to_string() : std::string());
  insert.bind(10, static_cast<int>(seen.ping.method));
  if (known) {
    const Bytes ping = encode_ping(seen.ping);
    insert.bind(11, ping.data(), static_cast<int>(ping.size()));
  }
  insert.bind(12, seen.source.to_string());
  insert.bind(13, seen.destination.to_string());
  insert.bind(14, int{seen.source_port});
  insert.bind(15, int{seen.destination_port});
  insert.bind(16, int{seen.protocol});
  insert.bind(17, int{seen.ttl});
  insert.bind(18, seen.raw.data(), static_cast<int>(seen.raw.size()));
  insert.bind(19, judged.leak);
  insert.bind(20, known && judged.what != ObservationClass::replayed ? 0 : 1);
  insert.exec();
}

// The conditions that a query sets, each with a numbered parameter.
std::string matching(const Observations::Query& query) {
  std::string where = "WHERE 1";
  if (!query.probe.empty()) where += " AND probe = ?1";
  if (!query.leak.empty()) where += " AND leak = ?2";
  if (!query.edge.empty()) {
    where += " AND (SELECT edge FROM observation_batch WHERE id = batch) = ?3";
  }
  if (!query.receiver.empty()) where += " AND receiver = ?4";
  if (query.method) where += " AND method = ?5";
  if (query.what) where += " AND class = ?6";
  if (query.since) where += " AND received >= ?7";
  return where;
}

void bind_filters(SQLite::Statement& statement, const Observations::Query& query) {
  if (!query.probe.empty()) statement.bind(1, query.probe);
  if (!query.leak.empty()) statement.bind(2, query.leak);
  if (!query.edge.empty()) statement.bind(3, query.edge);
  if (!query.receiver.empty()) statement.bind(4, query.receiver);
  if (query.method) statement.bind(5, static_cast<int>(*query.method));
  if (query.what) statement.bind(6, static_cast<int>(*query.what));
  if (query.since) statement.bind(7, to_column(*query.since));
}

// The batches of an edge's incarnation whose rows are gone.
constexpr BatchCursorRows kGone{"observation_cursor"};

// Runs a DELETE that returns the batches of the rows that it took. How many rows there were.
std::uint64_t remove_rows(SQLite::Statement& statement, std::set<std::int64_t>& batches) {
  std::uint64_t gone = 0;
  for (; statement.executeStep(); ++gone)
    batches.insert(statement.getColumn(0).getInt64());
  return gone;
}

// Of batches that lost rows, those that have none left go, but for their numbers.
void fold_batches(SQLite::Database& tables, const std::set<std::int64_t>& batches) {
  std::map<std::pair<std::string, std::string>, std::vector<std::uint64_t>> gone;
  SQLite::Statement batch(tables,
                          "DELETE FROM observation_batch WHERE id = ?1 AND NOT EXISTS (SELECT 1 "
                          "FROM observation WHERE batch = ?1) RETURNING edge, incarnation, "
                          "sequence");
  for (const std::int64_t id : batches) {
    batch.reset();
    batch.bind(1, id);
    while (batch.executeStep()) {
      gone[{batch.getColumn(0).getString(), batch.getColumn(1).getString()}].push_back(
          count_in(batch.getColumn(2)));
    }
  }
  for (const auto& [whose, sequences] : gone)
    kGone.add(tables, whose.first, whose.second, sequences);
}

// Rows of one kind beyond so many.
std::uint64_t remove_beyond(SQLite::Database& tables, bool noise, std::uint64_t most,
                            std::set<std::int64_t>& batches) {
  SQLite::Statement many(tables,
                         "DELETE FROM observation WHERE noise = ?1 AND number <= (SELECT number "
                         "FROM observation WHERE noise = ?1 ORDER BY number DESC LIMIT 1 OFFSET "
                         "?2) RETURNING batch");
  many.bind(1, noise ? 1 : 0);
  many.bind(2, to_column(most));
  return remove_rows(many, batches);
}

}  // namespace

std::optional<ObservationClass> parse_observation_class(std::string_view word) {
  for (std::size_t i = 0; i < Observations::kClasses; ++i) {
    const auto what = static_cast<ObservationClass>(i);
    if (to_string(what) == word) return what;
  }
  return std::nullopt;
}

Result<std::unique_ptr<Observations>> Observations::open(Database& database) {
  if (auto done = database.migrate("observations", kMigrations); !done) {
    return tl::unexpected<Error>(std::move(done.error()));
  }
  return std::unique_ptr<Observations>(new Observations(database));
}

Result<bool> Observations::knows(const ObservationSource& source) const {
  return database_.transact([&](SQLite::Database& tables) -> Result<bool> {
    SQLite::Statement batch(
        tables,
        "SELECT 1 FROM observation_batch WHERE edge = ? AND incarnation = ? AND sequence = ?");
    batch.bind(1, source.edge);
    batch.bind(2, source.incarnation);
    batch.bind(3, to_column(source.sequence));
    if (batch.executeStep()) return true;
    return kGone.read(tables, source.edge, source.incarnation).has(source.sequence);
  });
}

void Observations::write(SQLite::Database& tables, const ObservationSource& source,
                         std::span<const JudgedObservation> rows) {
  if (rows.empty()) return kGone.add(tables, source.edge, source.incarnation, {source.sequence});
  SQLite::Statement batch(tables,
                          "INSERT INTO observation_batch (edge, incarnation, sequence, accepted) "
                          "VALUES (?, ?, ?, ?)");
  batch.bind(1, source.edge);
  batch.bind(2, source.incarnation);
  batch.bind(3, to_column(source.sequence));
  batch.bind(4, to_column(source.accepted));
  batch.exec();
  const std::int64_t id = tables.getLastInsertRowid();
  SQLite::Statement insert(
      tables,
      "INSERT INTO observation (batch, position, received, class, authenticity, carrier, receiver, "
      "retired, probe, method, ping, source, destination, source_port, destination_port, protocol, "
      "ttl, raw, leak, noise) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
      "?)");
  Totals counts{};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    write_row(insert, id, i, rows[i]);
    ++counts[std::min(static_cast<std::size_t>(rows[i].what), kClasses - 1)];
  }
  SQLite::Statement total(tables,
                          "INSERT INTO observation_total VALUES (?1, ?2) ON CONFLICT (class) DO "
                          "UPDATE SET count = count + ?2");
  for (std::size_t i = 0; i < kClasses; ++i) {
    if (counts[i] == 0) continue;
    total.reset();
    total.bind(1, static_cast<int>(i));
    total.bind(2, to_column(counts[i]));
    total.exec();
  }
}

Result<Observations::Page> Observations::page(const Query& query) const {
  const std::size_t limit = std::clamp<std::size_t>(query.limit, 1, kMostOfAPage);
  const std::string where = matching(query) + " AND number < ?10 AND number >= ?11";
  Page page;
  std::int64_t end = std::numeric_limits<std::int64_t>::max();
  const auto search = [&](SQLite::Database& tables) -> Result<void> {
    SQLite::Statement piece(tables,
                            "SELECT coalesce((SELECT number FROM observation WHERE number < ?1 "
                            "ORDER BY number DESC LIMIT 1 OFFSET ?2), 0)");
    piece.bind(1, end);
    piece.bind(2, to_column(kPiece - 1));
    piece.executeStep();
    const std::int64_t begin = piece.getColumn(0).getInt64();
    const auto bind_all = [&](SQLite::Statement& statement) {
      bind_filters(statement, query);
      statement.bind(10, end);
      statement.bind(11, begin);
    };
    SQLite::Statement count(tables, "SELECT count(*) FROM observation " + where);
    bind_all(count);
    count.executeStep();
    page.count += count_in(count.getColumn(0));
    if (page.next == 0) {
      SQLite::Statement rows(tables, kColumns + where +
                                         (query.before == 0 ? "" : " AND number < ?8") +
                                         " ORDER BY number DESC LIMIT ?9");
      bind_all(rows);
      if (query.before != 0) rows.bind(8, to_column(query.before));
      rows.bind(9, to_column(std::uint64_t{limit - page.observations.size()} + 1));
      while (rows.executeStep()) {
        if (page.observations.size() == limit) {
          page.next = page.observations.back().number;
          break;
        }
        page.observations.push_back(kept_in(rows));
      }
    }
    end = begin;
    return {};
  };
  while (end > 0) {
    if (auto done = database_.transact(search); !done) {
      return tl::unexpected<Error>(std::move(done.error()));
    }
  }
  return page;
}

Result<std::vector<Observation>> Observations::newest(std::size_t most) const {
  return database_.transact([&](SQLite::Database& tables) -> Result<std::vector<Observation>> {
    SQLite::Statement rows(tables,
                           std::string(kColumns) + "WHERE noise = 0 ORDER BY number DESC LIMIT ?");
    rows.bind(1, to_column(std::uint64_t{most}));
    std::vector<Observation> observations;
    while (rows.executeStep())
      observations.push_back(std::move(kept_in(rows).judged.seen));
    std::reverse(observations.begin(), observations.end());
    return observations;
  });
}

Result<Observations::Totals> Observations::totals() const {
  return database_.transact([&](SQLite::Database& tables) -> Result<Totals> {
    Totals totals{};
    SQLite::Statement rows(tables, "SELECT class, count FROM observation_total");
    while (rows.executeStep()) {
      const auto at = static_cast<std::size_t>(rows.getColumn(0).getInt());
      if (at < kClasses) totals[at] = count_in(rows.getColumn(1));
    }
    return totals;
  });
}

Result<std::uint64_t> Observations::prune(std::uint64_t most, Timestamp before) {
  return database_.transact([&](SQLite::Database& tables) -> Result<std::uint64_t> {
    std::set<std::int64_t> batches;
    const std::uint64_t noise = std::max<std::uint64_t>(most / kNoisePart, 1);
    std::uint64_t gone = remove_beyond(tables, true, noise, batches);
    gone += remove_beyond(tables, false, most, batches);
    // In the order of arrival, whatever the homes' clocks say.
    SQLite::Statement old(tables,
                          "DELETE FROM observation WHERE batch <= (SELECT coalesce(max(id), 0) "
                          "FROM observation_batch WHERE accepted < ?) RETURNING batch");
    old.bind(1, to_column(before));
    gone += remove_rows(old, batches);
    fold_batches(tables, batches);
    return gone;
  });
}

}  // namespace beaconry
