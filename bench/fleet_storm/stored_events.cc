#include "fleet_storm/stored_events.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include <unordered_map>

namespace beaconry::bench {

Result<StoredEvents> check_stored_events(const std::string& database,
                                         const std::vector<ToldEvents>& told) {
  StoredEvents found;
  try {
    SQLite::Database tables(database, SQLite::OPEN_READONLY);
    // The server has no index by edge alone, and one pass over millions for each sensor is long.
    tables.exec(
        "CREATE TEMP TABLE of_edge AS SELECT edge, number FROM instrument_event;"
        "CREATE INDEX temp.of_edge_by_edge ON of_edge (edge)");
    SQLite::Statement rows(tables,
                           "SELECT uuid, instance, time, type, message, data FROM of_edge "
                           "JOIN instrument_event USING (number) WHERE of_edge.edge = ?");
    for (const ToldEvents& each : told) {
      std::unordered_map<std::string, InstrumentEvent> wanted;
      for (const EventRun& run : each.runs) {
        for (std::uint32_t i = 0; i < run.count; ++i) {
          InstrumentEvent event = event_of(each.sensor, run, i);
          std::string uuid = event.uuid;
          wanted.emplace(std::move(uuid), std::move(event));
        }
      }
      found.expected += wanted.size();
      rows.reset();
      rows.bind(1, each.edge);
      while (rows.executeStep()) {
        ++found.stored;
        const auto at = wanted.find(rows.getColumn(0).getString());
        if (at == wanted.end()) {
          ++found.strange;
          continue;
        }
        const InstrumentEvent& event = at->second;
        if (rows.getColumn(1).getString() != event.instance ||
            rows.getColumn(2).getInt64() != event.time.time_since_epoch().count() ||
            rows.getColumn(3).getString() != event.type ||
            rows.getColumn(4).getString() != event.message ||
            rows.getColumn(5).getString() != event.data_json) {
          ++found.strange;
        }
        wanted.erase(at);  // a second one would be strange
      }
      found.missing += wanted.size();
    }
  } catch (const SQLite::Exception& thrown) {
    return fail(ErrorKind::io, "read", database, thrown.what());
  }
  return found;
}

}  // namespace beaconry::bench
