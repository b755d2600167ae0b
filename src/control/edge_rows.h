#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "control/edges.h"

namespace SQLite {
class Database;
}

namespace beaconry {

// The tables of Edges. Throws what the library throws: for use inside of transact().
inline constexpr const char* kEdgeMigrations[] = {
    "CREATE TABLE edge (id TEXT PRIMARY KEY, name TEXT NOT NULL, kind TEXT NOT NULL, enrolled "
    "INTEGER NOT NULL, revoked INTEGER NOT NULL, enrolments INTEGER NOT NULL, enrolled_at INTEGER "
    "NOT NULL, last_seen INTEGER NOT NULL, last_address TEXT NOT NULL, clock_skew INTEGER, "
    "incarnation TEXT NOT NULL, sequence INTEGER NOT NULL, batches INTEGER NOT NULL, repeated "
    "INTEGER NOT NULL, events INTEGER NOT NULL, dropped INTEGER NOT NULL, counters TEXT NOT NULL);"
    "CREATE TABLE edge_cursor (edge TEXT NOT NULL, incarnation TEXT NOT NULL, cursor TEXT NOT "
    "NULL, "
    "position INTEGER NOT NULL, PRIMARY KEY (edge, incarnation));"
    "CREATE TABLE edge_token (hash TEXT PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, "
    "created INTEGER NOT NULL, created_by TEXT NOT NULL, expires INTEGER NOT NULL, used_by TEXT, "
    "used_at INTEGER)",
    "ALTER TABLE edge ADD COLUMN via TEXT NOT NULL DEFAULT ''",
    ("ALTER TABLE edge ADD COLUMN refused INTEGER NOT NULL DEFAULT 0;"
     "ALTER TABLE edge_cursor ADD COLUMN stream TEXT NOT NULL DEFAULT ''")};

struct CursorRow {
  std::string edge, incarnation, cursor;
  std::int64_t position = 0;  // the one used last has the highest
  std::string stream;
};

std::vector<Edges::Edge> read_edges(SQLite::Database& tables);
std::vector<CursorRow> read_cursors(SQLite::Database& tables);  // of each edge in order
void write_edge(SQLite::Database& tables, const Edges::Edge& edge);
void write_cursor(SQLite::Database& tables, const CursorRow& row);
void remove_cursors(SQLite::Database& tables, const std::string& edge);
void remove_edge(SQLite::Database& tables, const std::string& edge);

}  // namespace beaconry
