#include "fleet/sensor_rows.h"

#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "fleet/document_text.h"
#include "store/columns.h"
#include "store/transaction.h"

namespace beaconry {
namespace {

using Json = nlohmann::json;

constexpr const char* kMigrations[] = {
    "CREATE TABLE fleet_sensor (fingerprint TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, labels "
    "TEXT NOT NULL, enrolled INTEGER NOT NULL, address TEXT NOT NULL DEFAULT '', identity TEXT NOT "
    "NULL DEFAULT '', heard INTEGER, said_since INTEGER NOT NULL DEFAULT 0, skew INTEGER, report "
    "BLOB, wish_version INTEGER NOT NULL DEFAULT 0, wish_since INTEGER NOT NULL DEFAULT 0, wish "
    "TEXT NOT NULL DEFAULT '', wish_origin TEXT NOT NULL DEFAULT '')"};

std::string labels_text(const Labels& labels) {
  Json json = Json::object();
  for (const auto& [key, value] : labels)
    json[key] = value;
  return text_of(json);
}

Labels labels_in(const std::string& text) {
  Labels labels;
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return labels;
  for (const auto& [key, value] : json.items()) {
    if (value.is_string()) labels[key] = value.get<std::string>();
  }
  return labels;
}

// One statement that gives no rows; `bind` fills it.
template <class Bind>
Result<void> run(Database& database, const char* sql, const Bind& bind) {
  return database.transact([&](SQLite::Database& tables) -> Result<void> {
    SQLite::Statement statement(tables, sql);
    bind(statement);
    statement.exec();
    return {};
  });
}

}  // namespace

Result<void> make_sensor_table(Database& database) {
  return database.migrate("fleet", kMigrations);
}

Result<bool> has_sensor_rows(Database& database) {
  return database.transact([](SQLite::Database& tables) -> Result<bool> {
    return tables.execAndGet("SELECT EXISTS (SELECT 1 FROM fleet_sensor)").getInt() != 0;
  });
}

Result<std::vector<SensorRow>> read_sensors(Database& database) {
  return database.transact([&](SQLite::Database& tables) -> Result<std::vector<SensorRow>> {
    std::vector<SensorRow> rows;
    std::map<std::pair<std::string, std::string>, std::shared_ptr<const MergedLayers>> equal;
    SQLite::Statement read(
        tables,
        "SELECT fingerprint, name, labels, enrolled, address, identity, heard, said_since, skew, "
        "report, wish_version, wish_since, wish, wish_origin FROM fleet_sensor");
    while (read.executeStep()) {
      SensorRow row;
      FleetStore::Sensor& sensor = row.sensor;
      sensor.fingerprint = read.getColumn(0).getString();
      sensor.name = read.getColumn(1).getString();
      sensor.labels = labels_in(read.getColumn(2).getString());
      sensor.enrolled = time_in(read.getColumn(3));
      sensor.address = read.getColumn(4).getString();
      sensor.identity = SensorIdentity::parse(read.getColumn(5).getString());
      row.heard = maybe_time_in(read.getColumn(6));
      row.said_since = time_in(read.getColumn(7));
      if (!read.getColumn(8).isNull()) sensor.clock_skew = Duration{read.getColumn(8).getInt64()};
      row.report = read.getColumn(9).getString();
      sensor.wish = {count_in(read.getColumn(10)), time_in(read.getColumn(11)), nullptr};
      if (sensor.wish.version > 0) {
        std::pair<std::string, std::string> text{read.getColumn(12).getString(),
                                                 read.getColumn(13).getString()};
        auto& merged = equal[text];
        if (!merged) {
          merged = std::make_shared<const MergedLayers>(
              MergedLayers{text.first, text.second, instances_in(text.first)});
        }
        sensor.wish.merged = merged;
      }
      rows.push_back(std::move(row));
    }
    return rows;
  });
}

Result<void> insert_sensor(Database& database, const std::string& fingerprint,
                           const std::string& name, Timestamp enrolled) {
  return run(
      database,
      "INSERT INTO fleet_sensor (fingerprint, name, labels, enrolled) VALUES (?, ?, '{}', ?)",
      [&](SQLite::Statement& insert) {
        insert.bind(1, fingerprint);
        insert.bind(2, name);
        insert.bind(3, to_column(enrolled));
      });
}

Result<void> update_name(Database& database, const std::string& fingerprint,
                         const std::string& name) {
  return run(database, "UPDATE fleet_sensor SET name = ? WHERE fingerprint = ?",
             [&](SQLite::Statement& update) {
               update.bind(1, name);
               update.bind(2, fingerprint);
             });
}

Result<void> update_labels(Database& database, const std::string& fingerprint,
                           const Labels& labels) {
  return run(database, "UPDATE fleet_sensor SET labels = ? WHERE fingerprint = ?",
             [&](SQLite::Statement& update) {
               update.bind(1, labels_text(labels));
               update.bind(2, fingerprint);
             });
}

Result<void> update_reports(Database& database, std::span<const ReportRow> rows) {
  return database.transact([&](SQLite::Database& tables) -> Result<void> {
    SQLite::Statement update(
        tables,
        "UPDATE fleet_sensor SET address = ?, identity = ?, heard = ?, said_since = ?, skew = ?, "
        "report = ? WHERE fingerprint = ?");
    for (const auto& [sensor, report] : rows) {
      update.reset();
      update.bind(1, sensor->address);
      update.bind(2, sensor->identity.to_json());
      bind_time(update, 3, sensor->memory.heard);
      update.bind(4, to_column(sensor->memory.said_since));
      if (sensor->clock_skew) {
        update.bind(5, static_cast<std::int64_t>(sensor->clock_skew->count()));
      } else {
        update.bind(5);
      }
      update.bind(6, report->data(), static_cast<int>(report->size()));
      update.bind(7, sensor->fingerprint);
      update.exec();
    }
    return {};
  });
}

Result<void> update_wishes(Database& database, std::span<const WishRow> rows) {
  return database.transact([&](SQLite::Database& tables) -> Result<void> {
    SQLite::Statement update(tables,
                             "UPDATE fleet_sensor SET wish_version = ?, wish_since = ?, wish = ?, "
                             "wish_origin = ? WHERE fingerprint = ?");
    for (const auto& [fingerprint, wish] : rows) {
      update.reset();
      update.bind(1, to_column(wish.version));
      update.bind(2, to_column(wish.since));
      update.bind(3, wish.document());
      update.bind(4, wish.origin());
      update.bind(5, fingerprint);
      update.exec();
    }
    return {};
  });
}

Result<void> remove_sensor(Database& database, const std::string& fingerprint) {
  return run(database, "DELETE FROM fleet_sensor WHERE fingerprint = ?",
             [&](SQLite::Statement& remove) { remove.bind(1, fingerprint); });
}

Result<void> hand_over_row(Database& database, const std::string& from, const std::string& to,
                           Timestamp enrolled) {
  return database.transact([&](SQLite::Database& tables) -> Result<void> {
    SQLite::Statement remove(tables, "DELETE FROM fleet_sensor WHERE fingerprint = ?");
    remove.bind(1, to);
    remove.exec();
    SQLite::Statement update(
        tables,
        "UPDATE fleet_sensor SET fingerprint = ?, enrolled = ?, address = '', identity = '', heard "
        "= NULL, said_since = 0, skew = NULL, report = NULL WHERE fingerprint = ?");
    update.bind(1, to);
    update.bind(2, to_column(enrolled));
    update.bind(3, from);
    update.exec();
    return {};
  });
}

}  // namespace beaconry
