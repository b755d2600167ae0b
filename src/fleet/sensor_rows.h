#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "fleet/fleet_store.h"
#include "fleet/selector.h"
#include "store/database.h"

namespace beaconry {

// Sensors as they lie in their table.
struct SensorRow {
  FleetStore::Sensor sensor;  // without what its report says
  std::optional<Timestamp> heard;
  Timestamp said_since{};
  std::string report;  // the last message, as a zstd frame; empty: none
};
struct ReportRow {
  FleetStore::Found sensor;
  std::shared_ptr<const std::string> report;  // as in SensorRow; never null
};
struct WishRow {
  std::string fingerprint;
  FleetStore::Wish wish;
};

Result<void> make_sensor_table(Database& database);
Result<bool> has_sensor_rows(Database& database);
// Wishes that are equal are one.
Result<std::vector<SensorRow>> read_sensors(Database& database);
Result<void> insert_sensor(Database& database, const std::string& fingerprint,
                           const std::string& name, Timestamp enrolled);
Result<void> update_name(Database& database, const std::string& fingerprint,
                         const std::string& name);
Result<void> update_labels(Database& database, const std::string& fingerprint,
                           const Labels& labels);
// Each with its sensor's address, identity and clock.
Result<void> update_reports(Database& database, std::span<const ReportRow> rows);
Result<void> update_wishes(Database& database, std::span<const WishRow> rows);
Result<void> remove_sensor(Database& database, const std::string& fingerprint);
// `from` gets the key `to`, takes its place where it has one, and has reported nothing.
Result<void> hand_over_row(Database& database, const std::string& from, const std::string& to,
                           Timestamp enrolled);

}  // namespace beaconry
