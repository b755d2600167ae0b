#include "control/batch_cursor_rows.h"

#include "base/log.h"
#include "store/columns.h"

namespace beaconry {

BatchCursor BatchCursorRows::read(SQLite::Database& tables, const std::string& edge,
                                  const std::string& incarnation) const {
  SQLite::Statement row(
      tables, std::string("SELECT batches FROM ") + table + " WHERE edge = ? AND incarnation = ?");
  row.bind(1, edge);
  row.bind(2, incarnation);
  if (!row.executeStep()) return {};
  auto cursor = BatchCursor::parse(row.getColumn(0).getString());
  if (!cursor) log_warning("batches of " + edge + ": " + cursor.error().message());
  return cursor.value_or(BatchCursor());
}

void BatchCursorRows::add(SQLite::Database& tables, const std::string& edge,
                          const std::string& incarnation,
                          const std::vector<std::uint64_t>& sequences) const {
  BatchCursor cursor = read(tables, edge, incarnation);
  for (const std::uint64_t sequence : sequences) {
    if (sequence != 0) cursor.add(sequence);
  }
  const std::string name = table;
  SQLite::Statement keep(tables, "INSERT OR REPLACE INTO " + name +
                                     " VALUES (?1, ?2, ?3, (SELECT 1 + coalesce(max(changed), 0) "
                                     "FROM " +
                                     name + " WHERE edge = ?1))");
  keep.bind(1, edge);
  keep.bind(2, incarnation);
  keep.bind(3, cursor.to_text());
  keep.exec();
  SQLite::Statement few(tables, "DELETE FROM " + name +
                                    " WHERE edge = ?1 AND changed <= (SELECT changed FROM " + name +
                                    " WHERE edge = ?1 ORDER BY changed DESC LIMIT 1 OFFSET ?2)");
  few.bind(1, edge);
  few.bind(2, to_column(std::uint64_t{kMostIncarnations}));
  few.exec();
}

}  // namespace beaconry
