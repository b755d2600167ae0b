#include "control/sessions.h"

#include <algorithm>
#include <utility>

#include "http/certificates.h"
#include "store/columns.h"
#include "store/transaction.h"

namespace beaconry {
namespace {

constexpr const char* kMigrations[] = {
    "CREATE TABLE session (hash TEXT PRIMARY KEY, user TEXT NOT NULL, created INTEGER NOT NULL, "
    "used INTEGER NOT NULL)",
    "ALTER TABLE session ADD COLUMN generation TEXT NOT NULL DEFAULT ''"};
constexpr std::size_t kSecretBytes = 32;
constexpr auto kSavedEvery = std::chrono::minutes{5};

void remove_sessions(SQLite::Database& tables, const std::vector<std::string>& hashes) {
  SQLite::Statement remove(tables, "DELETE FROM session WHERE hash = ?");
  for (const std::string& hash : hashes) {
    remove.bind(1, hash);
    remove.exec();
    remove.reset();
  }
}

}  // namespace

Timestamp Sessions::Session::expires() const {
  return std::min<Timestamp>(created + kLongest, used + kIdle);
}

Result<std::unique_ptr<Sessions>> Sessions::open(Database& database, Timestamp now) {
  if (auto done = database.migrate("sessions", kMigrations); !done) {
    return tl::unexpected<Error>(std::move(done.error()));
  }
  std::unique_ptr<Sessions> sessions(new Sessions(database));
  auto read = database.transact([&](SQLite::Database& tables) -> Result<void> {
    SQLite::Statement each(tables, "SELECT hash, user, created, used, generation FROM session");
    while (each.executeStep()) {
      Row row;
      row.session.user = each.getColumn(1).getString();
      row.session.created = time_in(each.getColumn(2));
      row.session.used = row.saved = time_in(each.getColumn(3));
      row.session.generation = each.getColumn(4).getString();
      sessions->rows_[each.getColumn(0).getString()] = std::move(row);
    }
    return {};
  });
  if (read) read = sessions->save(now);
  if (!read) return tl::unexpected<Error>(std::move(read.error()));
  return sessions;
}

template <class Ends>
std::vector<std::string> Sessions::drop_where(const Ends& ends) {
  std::vector<std::string> gone;
  for (const auto& [hash, row] : rows_) {
    if (ends(hash, row)) gone.push_back(hash);
  }
  for (const std::string& hash : gone) {
    for (const auto& stream : rows_[hash].streams)
      stream->close();
    rows_.erase(hash);
  }
  return gone;
}

std::vector<std::string> Sessions::drop_expired(Timestamp now) {
  return drop_where(
      [&](const std::string&, const Row& row) { return row.session.expires() <= now; });
}

// For one more of the user: the longest unused go.
void Sessions::make_room(const std::string& user, std::vector<std::string>& gone) {
  const auto drop = [&](std::size_t most, const auto& counts) {
    const auto counted = std::count_if(rows_.begin(), rows_.end(),
                                       [&](const auto& each) { return counts(each.second); });
    if (static_cast<std::size_t>(counted) < most) return;
    std::vector<std::pair<Timestamp, std::string>> all;
    for (const auto& [hash, row] : rows_) {
      if (counts(row)) all.emplace_back(row.session.used, hash);
    }
    std::sort(all.begin(), all.end());
    all.resize(all.size() - most + 1);
    const auto dropped = drop_where([&](const std::string& hash, const Row&) {
      return std::any_of(all.begin(), all.end(),
                         [&](const auto& one) { return one.second == hash; });
    });
    gone.insert(gone.end(), dropped.begin(), dropped.end());
  };
  drop(kMostOfUser, [&](const Row& row) { return row.session.user == user; });
  drop(kMost, [](const Row&) { return true; });
}

template <class Ends>
Result<void> Sessions::end_where(const Ends& ends) {
  std::vector<std::string> gone;
  {
    const std::lock_guard lock(mutex_);
    gone = drop_where(ends);
  }
  if (gone.empty()) return {};
  return database_.transact([&](SQLite::Database& tables) -> Result<void> {
    remove_sessions(tables, gone);
    return {};
  });
}

Result<std::string> Sessions::create(const std::string& user, const std::string& generation,
                                     Timestamp now) {
  const std::lock_guard one(changing_);
  std::vector<std::string> gone;
  {
    const std::lock_guard lock(mutex_);
    gone = drop_expired(now);
    make_room(user, gone);
  }
  std::string secret = random_hex(kSecretBytes);
  const std::string hash = sha256_hex(secret);
  auto done = database_.transact([&](SQLite::Database& tables) -> Result<void> {
    remove_sessions(tables, gone);
    SQLite::Statement insert(tables, "INSERT INTO session VALUES (?, ?, ?, ?, ?)");
    insert.bind(1, hash);
    insert.bind(2, user);
    insert.bind(3, to_column(now));
    insert.bind(4, to_column(now));
    insert.bind(5, generation);
    insert.exec();
    return {};
  });
  if (!done) return tl::unexpected<Error>(std::move(done.error()));
  const std::lock_guard lock(mutex_);
  rows_[hash] = Row{{user, generation, now, now}, now, {}};
  return secret;
}

std::optional<Sessions::Session> Sessions::find(std::string_view secret, Timestamp now) {
  if (secret.size() != 2 * kSecretBytes) return std::nullopt;
  const std::string hash = sha256_hex(secret);
  const std::lock_guard lock(mutex_);
  const auto found = rows_.find(hash);
  if (found == rows_.end() || found->second.session.expires() <= now) return std::nullopt;
  Session& session = found->second.session;
  session.used = std::max(session.used, now);
  return session;
}

Result<void> Sessions::end(std::string_view secret) {
  const std::string wanted = sha256_hex(secret);
  const std::lock_guard one(changing_);
  return end_where([&](const std::string& hash, const Row&) { return hash == wanted; });
}

Result<void> Sessions::end_of(const std::string& user) {
  const std::lock_guard one(changing_);
  return end_where([&](const std::string&, const Row& row) { return row.session.user == user; });
}

Result<void> Sessions::save(Timestamp now) {
  const std::lock_guard one(changing_);
  std::vector<std::string> gone;
  std::vector<std::pair<std::string, Timestamp>> used;
  {
    const std::lock_guard lock(mutex_);
    gone = drop_expired(now);
    for (auto& [hash, row] : rows_) {
      if (row.session.used >= row.saved + kSavedEvery) used.emplace_back(hash, row.session.used);
      std::erase_if(row.streams, [](const auto& stream) { return !stream->is_open(); });
    }
  }
  if (gone.empty() && used.empty()) return {};
  auto done = database_.transact([&](SQLite::Database& tables) -> Result<void> {
    remove_sessions(tables, gone);
    SQLite::Statement update(tables, "UPDATE session SET used = ? WHERE hash = ?");
    for (const auto& [hash, time] : used) {
      update.bind(1, to_column(time));
      update.bind(2, hash);
      update.exec();
      update.reset();
    }
    return {};
  });
  if (!done) return done;
  const std::lock_guard lock(mutex_);
  for (const auto& [hash, time] : used)
    rows_.at(hash).saved = time;  // only who holds changing_ removes any
  return {};
}

std::size_t Sessions::count(Timestamp now) {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(std::count_if(rows_.begin(), rows_.end(), [&](const auto& each) {
    return each.second.session.expires() > now;
  }));
}

void Sessions::bind(std::string_view secret, std::shared_ptr<EventStream> stream) {
  const std::string hash = sha256_hex(secret);
  const std::lock_guard lock(mutex_);
  const auto found = rows_.find(hash);
  if (found == rows_.end()) return stream->close();  // it has ended meanwhile
  auto& streams = found->second.streams;
  std::erase_if(streams, [](const auto& one) { return !one->is_open(); });
  streams.push_back(std::move(stream));
}

std::string Sessions::csrf(std::string_view secret) {
  return hmac_sha256_hex(secret, "beaconry csrf");
}

}  // namespace beaconry
