#include "control/edge_rows.h"

#include "store/columns.h"

namespace beaconry {

std::vector<Edges::Edge> read_edges(SQLite::Database& tables) {
  SQLite::Statement row(
      tables,
      "SELECT id, name, kind, enrolled, revoked, enrolments, enrolled_at, last_seen, last_address, "
      "clock_skew, incarnation, sequence, batches, repeated, events, dropped, counters, via, "
      "refused FROM "
      "edge");
  std::vector<Edges::Edge> edges;
  while (row.executeStep()) {
    Edges::Edge edge;
    edge.id = row.getColumn(0).getString();
    edge.name = row.getColumn(1).getString();
    edge.kind = row.getColumn(2).getString();
    edge.enrolled = row.getColumn(3).getInt() != 0;
    edge.revoked = row.getColumn(4).getInt() != 0;
    edge.enrolments = count_in(row.getColumn(5));
    edge.enrolled_at = time_in(row.getColumn(6));
    edge.last_seen = time_in(row.getColumn(7));
    edge.last_address = row.getColumn(8).getString();
    if (!row.getColumn(9).isNull()) edge.clock_skew = Duration{row.getColumn(9).getInt64()};
    edge.incarnation = row.getColumn(10).getString();
    edge.sequence = count_in(row.getColumn(11));
    edge.batches = count_in(row.getColumn(12));
    edge.repeated = count_in(row.getColumn(13));
    edge.events = count_in(row.getColumn(14));
    edge.dropped = count_in(row.getColumn(15));
    edge.counters = row.getColumn(16).getString();
    edge.via = row.getColumn(17).getString();
    edge.refused = count_in(row.getColumn(18));
    edges.push_back(std::move(edge));
  }
  return edges;
}

std::vector<CursorRow> read_cursors(SQLite::Database& tables) {
  SQLite::Statement row(tables,
                        "SELECT edge, incarnation, cursor, position, stream FROM edge_cursor ORDER "
                        "BY edge, position");
  std::vector<CursorRow> cursors;
  while (row.executeStep()) {
    cursors.push_back({row.getColumn(0).getString(), row.getColumn(1).getString(),
                       row.getColumn(2).getString(), row.getColumn(3).getInt64(),
                       row.getColumn(4).getString()});
  }
  return cursors;
}

void write_edge(SQLite::Database& tables, const Edges::Edge& edge) {
  SQLite::Statement write(tables,
                          "INSERT OR REPLACE INTO edge VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
                          "?, ?, ?, ?, ?, ?, ?)");
  write.bind(1, edge.id);
  write.bind(2, edge.name);
  write.bind(3, edge.kind);
  write.bind(4, edge.enrolled ? 1 : 0);
  write.bind(5, edge.revoked ? 1 : 0);
  write.bind(6, to_column(edge.enrolments));
  write.bind(7, to_column(edge.enrolled_at));
  write.bind(8, to_column(edge.last_seen));
  write.bind(9, edge.last_address);
  if (edge.clock_skew) {
    write.bind(10, static_cast<std::int64_t>(edge.clock_skew->count()));
  } else {
    write.bind(10);
  }
  write.bind(11, edge.incarnation);
  write.bind(12, to_column(edge.sequence));
  write.bind(13, to_column(edge.batches));
  write.bind(14, to_column(edge.repeated));
  write.bind(15, to_column(edge.events));
  write.bind(16, to_column(edge.dropped));
  write.bind(17, edge.counters);
  write.bind(18, edge.via);
  write.bind(19, to_column(edge.refused));
  write.exec();
}

void write_cursor(SQLite::Database& tables, const CursorRow& row) {
  SQLite::Statement write(tables, "INSERT OR REPLACE INTO edge_cursor VALUES (?, ?, ?, ?, ?)");
  write.bind(1, row.edge);
  write.bind(2, row.incarnation);
  write.bind(3, row.cursor);
  write.bind(4, row.position);
  write.bind(5, row.stream);
  write.exec();
}

void remove_cursors(SQLite::Database& tables, const std::string& edge) {
  SQLite::Statement remove(tables, "DELETE FROM edge_cursor WHERE edge = ?");
  remove.bind(1, edge);
  remove.exec();
}

void remove_edge(SQLite::Database& tables, const std::string& edge) {
  remove_cursors(tables, edge);
  SQLite::Statement remove(tables, "DELETE FROM edge WHERE id = ?");
  remove.bind(1, edge);
  remove.exec();
}

}  // namespace beaconry
