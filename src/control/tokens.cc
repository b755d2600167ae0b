#include "control/tokens.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "control/secret.h"
#include "http/certificates.h"
#include "store/columns.h"
#include "store/transaction.h"

namespace beaconry {
namespace {

constexpr const char* kMigrations[] = {
    "CREATE TABLE token (name TEXT PRIMARY KEY, hash TEXT NOT NULL UNIQUE, role TEXT NOT NULL, "
    "created INTEGER NOT NULL, created_by TEXT NOT NULL, expires INTEGER)",
    // One row from the first token on, whatever becomes of the tokens.
    "CREATE TABLE token_made AS SELECT 1 AS made FROM token LIMIT 1"};
constexpr std::string_view kPrefix = "bcn_";
constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kLongestName = 64;
constexpr std::size_t kLongestSecret = 4096;  // an api_key may be anything
constexpr std::size_t kMostTokens = 1000;

}  // namespace

std::string_view token_role(Role role) {
  return role == Role::viewer ? "read" : to_string(role);
}

Result<std::unique_ptr<Tokens>> Tokens::open(Database& database) {
  if (auto done = database.migrate("tokens", kMigrations); !done) {
    return tl::unexpected<Error>(std::move(done.error()));
  }
  std::unique_ptr<Tokens> tokens(new Tokens(database));
  if (auto done = tokens->refresh(); !done) return tl::unexpected<Error>(std::move(done.error()));
  return tokens;
}

Result<void> Tokens::refresh() {
  const std::lock_guard one(changing_);
  bool made = false;
  auto rows = database_.transact([&](SQLite::Database& tables) -> Result<std::vector<Row>> {
    SQLite::Statement read(
        tables, "SELECT name, hash, role, created, created_by, expires FROM token ORDER BY name");
    std::vector<Row> found;
    while (read.executeStep()) {
      Row row;
      row.token.name = read.getColumn(0).getString();
      row.hash = read.getColumn(1).getString();
      row.token.role = parse_role(read.getColumn(2).getString()).value_or(Role::none);
      row.token.created = time_in(read.getColumn(3));
      row.token.created_by = read.getColumn(4).getString();
      row.token.expires = maybe_time_in(read.getColumn(5));
      found.push_back(std::move(row));
    }
    made = tables.execAndGet("SELECT count(*) FROM token_made").getInt() > 0;
    return found;
  });
  if (!rows) return tl::unexpected<Error>(std::move(rows.error()));
  const std::lock_guard lock(mutex_);
  rows_ = std::move(*rows);
  ever_made_ = made;
  return {};
}

Result<std::string> Tokens::create(const std::string& name, Role role,
                                   std::optional<Timestamp> expires, const std::string& who,
                                   Timestamp now) {
  const auto refuse = [&](std::string cause) {
    return fail(ErrorKind::usage, "create", "token '" + terminal_safe(name) + '\'',
                std::move(cause));
  };
  if (name.empty() || name.size() > kLongestName || name == "api_key" ||
      terminal_safe(name) != name) {
    return refuse("give it a name of 1 to 64 printable characters that is not 'api_key'");
  }
  if (role == Role::none) return refuse("give it a role: read, ingest, analyst, operator or admin");
  if (expires && *expires <= now) return refuse("it would have expired already");
  const std::lock_guard one(changing_);
  if (rows_.size() >= kMostTokens) return refuse("there are 1000; revoke some");
  if (std::any_of(rows_.begin(), rows_.end(),
                  [&](const Row& row) { return row.token.name == name; })) {
    return refuse("there is one of this name; revoke it first or take another name");
  }
  std::string secret = std::string(kPrefix) + random_hex(kSecretBytes);
  Row row{{name, role, now, who, expires}, sha256_hex(secret)};
  auto done = database_.transact([&](SQLite::Database& tables) -> Result<void> {
    SQLite::Statement insert(tables, "INSERT INTO token VALUES (?, ?, ?, ?, ?, ?)");
    insert.bind(1, name);
    insert.bind(2, row.hash);
    insert.bind(3, std::string(token_role(role)));
    insert.bind(4, to_column(now));
    insert.bind(5, who);
    bind_time(insert, 6, expires);
    insert.exec();
    tables.exec("INSERT INTO token_made SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM token_made)");
    return {};
  });
  if (!done) return tl::unexpected<Error>(std::move(done.error()));
  const std::lock_guard lock(mutex_);
  ever_made_ = true;
  rows_.push_back(std::move(row));
  return secret;
}

Result<void> Tokens::revoke(const std::string& name) {
  const std::lock_guard one(changing_);
  auto gone = database_.transact([&](SQLite::Database& tables) -> Result<int> {
    SQLite::Statement remove(tables, "DELETE FROM token WHERE name = ?");
    remove.bind(1, name);
    return remove.exec();
  });
  if (!gone) return tl::unexpected<Error>(std::move(gone.error()));
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(rows_, [&](const Row& row) { return row.token.name == name; });
  }
  if (*gone == 0) {
    return fail(ErrorKind::not_found, "revoke", "token '" + terminal_safe(name) + '\'',
                "there is none of this name");
  }
  return {};
}

std::vector<Tokens::Token> Tokens::list() const {
  const std::lock_guard lock(mutex_);
  std::vector<Token> tokens;
  for (const Row& row : rows_)
    tokens.push_back(row.token);
  return tokens;
}

bool Tokens::ever_made() const {
  const std::lock_guard lock(mutex_);
  return ever_made_;
}

std::optional<Tokens::Token> Tokens::verify(std::string_view secret, Timestamp now) const {
  if (secret.empty() || secret.size() > kLongestSecret) return std::nullopt;
  const std::string hash = sha256_hex(secret);
  const std::lock_guard lock(mutex_);
  std::optional<Token> found;
  for (const Row& row : rows_) {
    if (equal_in_constant_time(row.hash, hash)) found = row.token;
  }
  if (found && found->expires && *found->expires <= now) return std::nullopt;
  if (!api_key_hash_.empty() && equal_in_constant_time(api_key_hash_, hash)) {
    Token key;
    key.name = "api_key";
    key.role = Role::admin;
    key.created_by = "the configuration";
    return key;
  }
  return found;
}

void Tokens::set_api_key(std::string_view key) {
  const std::lock_guard lock(mutex_);
  api_key_hash_ = key.empty() ? std::string() : sha256_hex(key);
}

bool Tokens::has_api_key() const {
  const std::lock_guard lock(mutex_);
  return !api_key_hash_.empty();
}

}  // namespace beaconry
