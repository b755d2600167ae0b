#include "fleet/fleet_documents.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "fleet/document_text.h"
#include "store/columns.h"
#include "store/transaction.h"

namespace beaconry {
namespace {

constexpr const char* kMigrations[] = {
    "CREATE TABLE fleet_document (target TEXT NOT NULL, version INTEGER NOT NULL, time INTEGER NOT "
    "NULL, who TEXT NOT NULL, how TEXT NOT NULL, json TEXT NOT NULL, PRIMARY KEY (target, "
    "version))"};

FleetDocuments::Version version_in(SQLite::Statement& read) {
  return {count_in(read.getColumn(0)), time_in(read.getColumn(1)), read.getColumn(2).getString(),
          read.getColumn(3).getString(), read.getColumn(4).getString()};
}

bool is_target(const std::string& target) {
  if (target == "fleet") return true;
  for (const std::string_view kind : {"group:", "sensor:"}) {
    if (target.starts_with(kind) && target.size() > kind.size() && target.size() <= 128 &&
        terminal_safe(target) == target)
      return true;
  }
  return false;
}

}  // namespace

Result<std::unique_ptr<FleetDocuments>> FleetDocuments::open(Database& database) {
  if (auto done = database.migrate("fleet_documents", kMigrations); !done)
    return tl::unexpected<Error>(std::move(done.error()));
  std::unique_ptr<FleetDocuments> documents(new FleetDocuments(database));
  if (auto done = documents->load(); !done) return tl::unexpected<Error>(std::move(done.error()));
  return documents;
}

Result<void> FleetDocuments::load() {
  return database_.transact([&](SQLite::Database& tables) -> Result<void> {
    SQLite::Statement read(tables,
                           "SELECT target, max(version) FROM fleet_document GROUP BY target");
    while (read.executeStep())
      note(read.getColumn(0).getString(), count_in(read.getColumn(1)));
    return {};
  });
}

void FleetDocuments::note(const std::string& target, std::uint64_t newest) {
  const std::lock_guard lock(mutex_);
  std::uint64_t& known = newest_[target];
  known = std::max(known, newest);
}

void FleetDocuments::note_gone(const std::string& target) {
  const std::lock_guard lock(mutex_);
  newest_.erase(target);
}

Result<FleetDocuments::Version> FleetDocuments::put(const std::string& target,
                                                    const std::string& json, const std::string& who,
                                                    const std::string& how, Timestamp now) {
  const auto refuse = [&](std::string cause) {
    return fail(ErrorKind::usage, "put", "document of " + terminal_safe(target), std::move(cause));
  };
  if (!is_target(target)) return refuse("write fleet, group:NAME or sensor:FINGERPRINT");
  if (auto read = parse_object(json, target); !read)
    return tl::unexpected<Error>(std::move(read.error()));
  auto put = database_.transact([&](SQLite::Database& tables) -> Result<Version> {
    SQLite::Statement newest(tables,
                             "SELECT version, time, who, how, json FROM fleet_document WHERE "
                             "target = ? ORDER BY version DESC LIMIT 1");
    newest.bind(1, target);
    Version version{1, now, who, how, json};
    if (newest.executeStep()) {
      Version held = version_in(newest);
      if (held.json == json) return held;
      version.number = held.number + 1;
    } else {
      const auto count =
          count_in(tables.execAndGet("SELECT count(DISTINCT target) FROM fleet_document"));
      if (count >= kMostTargets) return refuse("there are 11,000 documents");
    }
    SQLite::Statement insert(tables, "INSERT INTO fleet_document VALUES (?, ?, ?, ?, ?, ?)");
    insert.bind(1, target);
    insert.bind(2, to_column(version.number));
    insert.bind(3, to_column(version.time));
    insert.bind(4, version.who);
    insert.bind(5, version.how);
    insert.bind(6, version.json);
    insert.exec();
    SQLite::Statement prune(tables,
                            "DELETE FROM fleet_document WHERE target = ? AND version + ? <= ?");
    prune.bind(1, target);
    prune.bind(2, to_column(std::uint64_t{kMostVersions}));
    prune.bind(3, to_column(version.number));
    prune.exec();
    return version;
  });
  if (put) note(target, put->number);
  return put;
}

Result<std::optional<FleetDocuments::Version>> FleetDocuments::current(
    const std::string& target) const {
  return database_.transact([&](SQLite::Database& tables) -> Result<std::optional<Version>> {
    SQLite::Statement read(tables,
                           "SELECT version, time, who, how, json FROM fleet_document WHERE "
                           "target = ? ORDER BY version DESC LIMIT 1");
    read.bind(1, target);
    if (!read.executeStep()) return std::optional<Version>{};
    return std::optional<Version>(version_in(read));
  });
}

std::uint64_t FleetDocuments::newest(const std::string& target) const {
  const std::lock_guard lock(mutex_);
  const auto found = newest_.find(target);
  return found == newest_.end() ? 0 : found->second;
}

Result<std::vector<FleetDocuments::Version>> FleetDocuments::history(
    const std::string& target) const {
  return database_.transact([&](SQLite::Database& tables) -> Result<std::vector<Version>> {
    SQLite::Statement read(tables,
                           "SELECT version, time, who, how, '' FROM fleet_document WHERE target = "
                           "? ORDER BY version DESC");
    read.bind(1, target);
    std::vector<Version> all;
    while (read.executeStep())
      all.push_back(version_in(read));
    return all;
  });
}

Result<FleetDocuments::Version> FleetDocuments::version(const std::string& target,
                                                        std::uint64_t number) const {
  return database_.transact([&](SQLite::Database& tables) -> Result<Version> {
    SQLite::Statement read(tables,
                           "SELECT version, time, who, how, json FROM fleet_document WHERE target "
                           "= ? AND version = ?");
    read.bind(1, target);
    read.bind(2, to_column(number));
    if (read.executeStep()) return version_in(read);
    return fail(ErrorKind::not_found, "find", terminal_safe(target),
                "it has no version " + std::to_string(number) + ", or no longer");
  });
}

Result<std::vector<std::string>> FleetDocuments::targets() const {
  return database_.transact([&](SQLite::Database& tables) -> Result<std::vector<std::string>> {
    SQLite::Statement read(tables, "SELECT DISTINCT target FROM fleet_document ORDER BY target");
    std::vector<std::string> all;
    while (read.executeStep())
      all.push_back(read.getColumn(0).getString());
    return all;
  });
}

Result<void> FleetDocuments::forget(const std::string& target) {
  auto done = database_.transact([&](SQLite::Database& tables) -> Result<void> {
    SQLite::Statement remove(tables, "DELETE FROM fleet_document WHERE target = ?");
    remove.bind(1, target);
    remove.exec();
    return {};
  });
  if (done) note_gone(target);
  return done;
}

Result<void> FleetDocuments::move(const std::string& from, const std::string& to) {
  if (!is_target(to))
    return fail(ErrorKind::usage, "move", "document of " + terminal_safe(from),
                "write group:NAME or sensor:FINGERPRINT");
  auto done = database_.transact([&](SQLite::Database& tables) -> Result<void> {
    SQLite::Statement move(tables, "UPDATE fleet_document SET target = ? WHERE target = ?");
    move.bind(1, to);
    move.bind(2, from);
    move.exec();
    return {};
  });
  if (!done) return done;
  if (const std::uint64_t moved = newest(from); moved > 0) note(to, moved);
  note_gone(from);
  return done;
}

}  // namespace beaconry
