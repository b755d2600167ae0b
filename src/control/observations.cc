#include "control/observations.h"

#include <algorithm>
#include <utility>

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
    "INSERT INTO observation_horizon VALUES (0)"};
constexpr std::size_t kMostOfAPage = 10'000;

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
  insert.exec();
}

// The conditions that a query sets, each with a numbered parameter.
std::string matching(const Observations::Query& query) {
  std::string where = "WHERE 1";
  if (!query.probe.empty()) where += " AND probe = ?1";
  if (!query.leak.empty()) where += " AND leak = ?2";
  if (!query.edge.empty()) {
    where += " AND batch IN (SELECT id FROM observation_batch WHERE edge = ?3)";
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
    return source.accepted <=
           time_in(tables.execAndGet("SELECT max(accepted) FROM observation_horizon"));
  });
}

void Observations::write(SQLite::Database& tables, const ObservationSource& source,
                         std::span<const JudgedObservation> rows) {
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
      "ttl, raw, leak) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
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
  return database_.transact([&](SQLite::Database& tables) -> Result<Page> {
    Page page;
    const std::string where = matching(query);
    SQLite::Statement count(tables, "SELECT count(*) FROM observation " + where);
    bind_filters(count, query);
    count.executeStep();
    page.count = count_in(count.getColumn(0));
    SQLite::Statement rows(tables, kColumns + where +
                                       (query.before == 0 ? "" : " AND number < ?8") +
                                       " ORDER BY number DESC LIMIT ?9");
    bind_filters(rows, query);
    if (query.before != 0) rows.bind(8, to_column(query.before));
    rows.bind(9, to_column(std::uint64_t{limit} + 1));
    while (rows.executeStep()) {
      if (page.observations.size() == limit) {
        page.next = page.observations.back().number;
        break;
      }
      page.observations.push_back(kept_in(rows));
    }
    return page;
  });
}

Result<std::vector<Observation>> Observations::newest(std::size_t most) const {
  return database_.transact([&](SQLite::Database& tables) -> Result<std::vector<Observation>> {
    SQLite::Statement rows(
        tables, std::string(kColumns) +
                    "WHERE number > (SELECT coalesce(max(number), 0) FROM observation) - "
                    "? ORDER BY number");
    rows.bind(1, to_column(std::uint64_t{most}));
    std::vector<Observation> observations;
    while (rows.executeStep())
      observations.push_back(std::move(kept_in(rows).judged.seen));
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

Result<std::uint64_t> Observations::prune(std::uint64_t most, Timestamp before,
                                          Timestamp batches_before) {
  return database_.transact([&](SQLite::Database& tables) -> Result<std::uint64_t> {
    SQLite::Statement many(tables,
                           "DELETE FROM observation WHERE number <= (SELECT coalesce(max(number), "
                           "0) FROM observation) - ?");
    many.bind(1, to_column(most));
    auto gone = static_cast<std::uint64_t>(many.exec());
    // In the order of arrival, whatever the homes' clocks say.
    SQLite::Statement old(tables,
                          "DELETE FROM observation WHERE batch <= (SELECT coalesce(max(id), 0) "
                          "FROM observation_batch WHERE accepted < ?)");
    old.bind(1, to_column(before));
    gone += static_cast<std::uint64_t>(old.exec());
    SQLite::Statement batches(tables,
                              "DELETE FROM observation_batch WHERE accepted < ?1 AND id < (SELECT "
                              "coalesce(min(batch), 9223372036854775807) FROM observation)");
    batches.bind(1, to_column(batches_before));
    if (batches.exec() > 0) {
      SQLite::Statement horizon(tables,
                                "UPDATE observation_horizon SET accepted = max(accepted, ?)");
      horizon.bind(1, to_column(batches_before) - 1);
      horizon.exec();
    }
    return gone;
  });
}

}  // namespace beaconry
