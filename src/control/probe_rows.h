#pragma once
// Internal to probes.cc: rows of its tables.
#include <SQLiteCpp/SQLiteCpp.h>

#include <string>
#include <vector>

#include "control/probes.h"

namespace beaconry {

inline constexpr const char* kProbeMigrations[] = {
    "CREATE TABLE probe (id TEXT PRIMARY KEY, name TEXT NOT NULL, created INTEGER NOT NULL, "
    "revoked INTEGER, revoked_by TEXT NOT NULL, retires INTEGER, successor TEXT, settings TEXT NOT "
    "NULL);"
    "CREATE TABLE probe_place (probe TEXT NOT NULL, address TEXT NOT NULL, kind INTEGER NOT NULL, "
    "last INTEGER NOT NULL, PRIMARY KEY (probe, address, kind)) WITHOUT ROWID"};

// A row that cannot be read is skipped and said so in `problem`.
std::vector<KeptProbe> read_probes(SQLite::Database& tables, std::string& problem);
void write_probe(SQLite::Database& tables, const KeptProbe& probe);

}  // namespace beaconry
