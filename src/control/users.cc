#include "control/users.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "control/totp.h"
#include "http/certificates.h"
#include "store/columns.h"
#include "store/transaction.h"

namespace beaconry {
namespace {

constexpr const char* kMigrations[] = {
    "CREATE TABLE user (name TEXT PRIMARY KEY, role TEXT NOT NULL, disabled INTEGER NOT NULL, "
    "hash TEXT NOT NULL, totp TEXT NOT NULL, totp_secret TEXT NOT NULL, totp_step INTEGER NOT "
    "NULL, created INTEGER NOT NULL, created_by TEXT NOT NULL, changed INTEGER NOT NULL, "
    "last_login INTEGER)",
    "ALTER TABLE user ADD COLUMN generation TEXT NOT NULL DEFAULT ''"};
constexpr std::size_t kMostUsers = 1000, kLongestName = 64, kGenerationBytes = 8;

tl::unexpected<Error> refused(const char* what, const std::string& name, std::string cause) {
  return fail(ErrorKind::usage, what, "user '" + terminal_safe(name.substr(0, kLongestName)) + '\'',
              std::move(cause));
}

bool is_name(std::string_view name) {
  constexpr std::string_view kReserved[] = {"api_key", "init", "local", "loopback", "nobody"};
  const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-' ||
           c == '@';
  });
  return plain && !name.empty() && name.size() <= kLongestName &&
         std::find(std::begin(kReserved), std::end(kReserved), name) == std::end(kReserved);
}

bool is_persons(Role role) {
  return role >= Role::viewer;
}

}  // namespace

std::string_view to_string(Users::Totp totp) {
  switch (totp) {
    case Users::Totp::off:
      return "off";
    case Users::Totp::pending:
      return "pending";
    case Users::Totp::on:
      return "on";
  }
  return "off";
}

std::string Users::folded(std::string_view name) {
  return ascii_lower(name);
}

Result<std::unique_ptr<Users>> Users::open(Database& database, Passwords::Cost cost) {
  if (auto done = database.migrate("users", kMigrations); !done) {
    return tl::unexpected<Error>(std::move(done.error()));
  }
  std::unique_ptr<Users> users(new Users(database, cost));
  if (auto done = users->refresh(); !done) return tl::unexpected<Error>(std::move(done.error()));
  return users;
}

Result<void> Users::refresh() {
  const std::lock_guard one(changing_);
  using Rows = std::map<std::string, Row, std::less<>>;
  auto rows = database_.transact([&](SQLite::Database& tables) -> Result<Rows> {
    SQLite::Statement read(tables,
                           "SELECT name, role, disabled, hash, totp, totp_secret, totp_step, "
                           "created, created_by, changed, last_login, generation FROM user");
    Rows found;
    while (read.executeStep()) {
      Row row;
      row.user.name = read.getColumn(0).getString();
      row.user.role = parse_role(read.getColumn(1).getString()).value_or(Role::none);
      row.user.disabled = read.getColumn(2).getInt() != 0;
      row.hash = read.getColumn(3).getString();
      const std::string totp = read.getColumn(4).getString();
      row.user.totp = totp == "on" ? Totp::on : totp == "pending" ? Totp::pending : Totp::off;
      row.secret = read.getColumn(5).getString();
      row.step = count_in(read.getColumn(6));
      row.user.created = time_in(read.getColumn(7));
      row.user.created_by = read.getColumn(8).getString();
      row.user.changed = time_in(read.getColumn(9));
      row.user.last_login = maybe_time_in(read.getColumn(10));
      row.user.generation = read.getColumn(11).getString();
      found[row.user.name] = std::move(row);
    }
    return found;
  });
  if (!rows) return tl::unexpected<Error>(std::move(rows.error()));
  const std::lock_guard lock(mutex_);
  rows_ = std::move(*rows);
  return {};
}

Result<Users::Row> Users::row_of(const std::string& name) const {
  const auto found = rows_.find(folded(name));
  if (found != rows_.end()) return found->second;
  return fail(ErrorKind::not_found, "find", "user '" + terminal_safe(name) + '\'',
              "there is none of this name");
}

Result<void> Users::put(const Row& row) {
  auto done = database_.transact([&](SQLite::Database& tables) -> Result<void> {
    SQLite::Statement write(tables,
                            "INSERT OR REPLACE INTO user VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
                            "?)");
    write.bind(1, row.user.name);
    write.bind(2, std::string(to_string(row.user.role)));
    write.bind(3, row.user.disabled ? 1 : 0);
    write.bind(4, row.hash);
    write.bind(5, std::string(to_string(row.user.totp)));
    write.bind(6, row.secret);
    write.bind(7, to_column(row.step));
    write.bind(8, to_column(row.user.created));
    write.bind(9, row.user.created_by);
    write.bind(10, to_column(row.user.changed));
    bind_time(write, 11, row.user.last_login);
    write.bind(12, row.user.generation);
    write.exec();
    return {};
  });
  if (!done) return done;
  const std::lock_guard lock(mutex_);
  rows_[row.user.name] = row;
  return done;
}

bool Users::is_last_admin(const std::string& name) const {
  const auto may = [](const Row& row) {
    return row.user.role == Role::admin && !row.user.disabled;
  };
  const auto found = rows_.find(name);
  if (found == rows_.end() || !may(found->second)) return false;
  return std::count_if(rows_.begin(), rows_.end(),
                       [&](const auto& each) { return may(each.second); }) == 1;
}

Result<void> Users::create(const std::string& name, Role role, std::string_view password,
                           const std::string& who, Timestamp now) {
  const std::string kept = folded(name);
  if (!is_name(kept)) {
    return refused("create", name,
                   "give it a name of 1 to 64 letters, digits, '.', '_', '-' and '@' that is not "
                   "one of the server's own words");
  }
  if (!is_persons(role)) {
    return refused("create", name, "give it a role: viewer, analyst, operator or admin");
  }
  auto hash = passwords_.hash(password);  // outside of the lock: it takes long
  if (!hash) return tl::unexpected<Error>(std::move(hash.error()));
  const std::lock_guard one(changing_);
  if (rows_.size() >= kMostUsers) return refused("create", name, "there are 1000; remove some");
  if (rows_.count(kept) != 0) return refused("create", name, "there is one of this name");
  if (rows_.empty() && role != Role::admin) {
    return refused("create", name, "the first user must be an admin, who can make the others");
  }
  Row row;
  row.user.name = kept;
  row.user.role = role;
  row.user.created = row.user.changed = now;
  row.user.created_by = who;
  row.user.generation = random_hex(kGenerationBytes);
  row.hash = std::move(*hash);
  return put(row);
}

Result<Users::Changed> Users::change(const std::string& name, const Change& change, Timestamp now) {
  if (change.role && !is_persons(*change.role)) {
    return refused("change", name, "its role may be viewer, analyst, operator or admin");
  }
  {
    const std::lock_guard lock(mutex_);
    if (auto row = row_of(name); !row) return tl::unexpected<Error>(std::move(row.error()));
  }
  std::string hash;
  if (change.password) {
    auto made = passwords_.hash(*change.password);
    if (!made) return tl::unexpected<Error>(std::move(made.error()));
    hash = std::move(*made);
  }
  const std::lock_guard one(changing_);
  auto row = row_of(name);
  if (!row) return tl::unexpected<Error>(std::move(row.error()));
  auto done = apply(change, std::move(hash), now, *row);
  if (done) done = put(*row);
  if (!done) return tl::unexpected<Error>(std::move(done.error()));
  return Changed{row->user, change.totp.value_or(false) ? row->secret : std::string()};
}

Result<void> Users::apply(const Change& change, std::string hash, Timestamp now, Row& row) const {
  const bool weaker =
      (change.role && *change.role != Role::admin) || change.disabled.value_or(false);
  if (weaker && is_last_admin(row.user.name)) {
    return refused("change", row.user.name, "it is the last admin; make another one first");
  }
  if (change.totp.value_or(false) && row.user.totp == Totp::on) {
    return refused("change", row.user.name, "it has a second factor; turn that off first");
  }
  if (change.role || change.password || change.disabled) {
    row.user.changed = now;
    row.user.generation = random_hex(kGenerationBytes);
  }
  if (change.role) row.user.role = *change.role;
  if (change.disabled) row.user.disabled = *change.disabled;
  if (change.password) row.hash = std::move(hash);
  if (change.totp) {
    row.secret = *change.totp ? make_totp_secret() : std::string();
    row.step = 0;
    row.user.totp = *change.totp ? Totp::pending : Totp::off;
  }
  return {};
}

Result<void> Users::remove(const std::string& name) {
  const std::lock_guard one(changing_);
  const auto row = row_of(name);
  if (!row) return tl::unexpected<Error>(row.error());
  if (is_last_admin(row->user.name)) {
    return refused("remove", name, "it is the last admin; make another one first");
  }
  auto done = database_.transact([&](SQLite::Database& tables) -> Result<void> {
    SQLite::Statement gone(tables, "DELETE FROM user WHERE name = ?");
    gone.bind(1, row->user.name);
    gone.exec();
    return {};
  });
  if (!done) return done;
  const std::lock_guard lock(mutex_);
  rows_.erase(row->user.name);
  return done;
}

Result<Users::Login> Users::log_in(const std::string& name, std::string_view password,
                                   std::string_view code, Timestamp now) {
  const std::string kept = folded(name.substr(0, kLongestName + 1));
  std::string hash;
  {
    const std::lock_guard lock(mutex_);
    if (const auto row = row_of(kept)) hash = row->hash;
  }
  const auto right = passwords_.verify(hash, password);
  if (!right) return tl::unexpected<Error>(right.error());
  Login login;
  if (!*right) return login;
  const std::lock_guard one(changing_);
  auto row = row_of(kept);
  // What changed meanwhile holds.
  if (!row || row->hash != hash || row->user.disabled) return login;
  if (row->user.totp != Totp::off) {
    const auto step = totp_step(row->secret, code, now, row->step);
    if (!step && (row->user.totp == Totp::on || !code.empty())) {
      login.code_needed = true;
      return login;
    }
    if (step) {
      row->step = *step;
      row->user.totp = Totp::on;
    }
  }
  row->user.last_login = now;
  // Before anything is let in: a code that could be used again is none.
  if (auto done = put(*row); !done) return tl::unexpected<Error>(std::move(done.error()));
  login.right = true;
  login.user = row->user;
  return login;
}

std::optional<Users::User> Users::find(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const auto found = rows_.find(folded(name));
  return found == rows_.end() ? std::nullopt : std::optional(found->second.user);
}

std::vector<Users::User> Users::list() const {
  const std::lock_guard lock(mutex_);
  std::vector<User> users;
  for (const auto& [name, row] : rows_)
    users.push_back(row.user);
  return users;
}

bool Users::any() const {
  const std::lock_guard lock(mutex_);
  return !rows_.empty();
}

}  // namespace beaconry
