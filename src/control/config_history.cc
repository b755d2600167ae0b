#include "control/config_history.h"

#include <algorithm>
#include <utility>

#include "config/keys.h"
#include "control/config_edit.h"
#include "control/config_json.h"
#include "store/columns.h"
#include "store/transaction.h"

namespace beaconry {
namespace {

constexpr const char* kMigrations[] = {
    "CREATE TABLE config_version (number INTEGER PRIMARY KEY, time INTEGER NOT NULL, who TEXT NOT "
    "NULL, how TEXT NOT NULL, words TEXT NOT NULL, given TEXT NOT NULL, edits TEXT NOT NULL, "
    "changes TEXT NOT NULL)"};
constexpr std::uint64_t kMostVersions = 10'000;

tl::unexpected<Error> moved(Error& error) {
  return tl::unexpected<Error>(std::move(error));
}

// What a file gave. Secrets of sections that only the file sets need not be kept.
GivenValues given_by(const ConfigValues& file) {
  GivenValues given;
  each_config_key([&](const ConfigKey& key) {
    if (file.origin(key.path).from == Origin::From::file) {
      given.emplace(key.path, file.to_json(key.path, is_editable(key.path)));
    }
  });
  return given;
}

std::vector<ConfigChange> differences(const ConfigValues* before, const ConfigValues& after) {
  std::vector<ConfigChange> changes;
  if (before == nullptr) return changes;
  each_config_key([&](const ConfigKey& key) {
    if (before->to_json(key.path, true) == after.to_json(key.path, true)) return;
    changes.push_back({std::string(key.path), before->to_json(key.path), after.to_json(key.path)});
  });
  return changes;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words)
    text += (text.empty() ? "" : ", ") + word;
  return text;
}

// Takes edits away that do not hold any more, and says so.
void drop_edits(ConfigOverrides& edits, const std::vector<std::string>& keys,
                const std::string& why, std::vector<std::string>& warnings) {
  if (keys.empty()) return;
  for (const std::string& key : keys)
    edits.erase(key);
  warnings.push_back("edits of " + joined(keys) + " hold no more: " + why);
}

}  // namespace

ConfigHistory::ConfigHistory(Database& database, Check check)
    : database_(database), check_(std::move(check)) {}

Result<std::unique_ptr<ConfigHistory>> ConfigHistory::open(Database& database, ConfigDocument file,
                                                           Timestamp now, Check check) {
  if (auto done = database.migrate("config_history", kMigrations); !done) {
    return moved(done.error());
  }
  std::unique_ptr<ConfigHistory> history(new ConfigHistory(database, std::move(check)));
  if (auto done = history->load(history->state_); !done) return moved(done.error());
  if (auto taken = history->reload(std::move(file), now); !taken) return moved(taken.error());
  return history;
}

// The newest version of the table, if there is one.
Result<void> ConfigHistory::load(State& state) const {
  return database_.transact([&](SQLite::Database& tables) -> Result<void> {
    SQLite::Statement row(
        tables, "SELECT number, given, edits FROM config_version ORDER BY number DESC LIMIT 1");
    if (!row.executeStep()) return {};
    state.number = count_in(row.getColumn(0));
    state.given = given_from_json(row.getColumn(1).getString());
    state.edits = edits_from_json(row.getColumn(2).getString());
    return {};
  });
}

Result<void> ConfigHistory::build(State& state) const {
  auto values = ConfigValues::read(config_schema(), state.file);
  if (!values) return moved(values.error());
  for (const auto& [key, edit] : state.edits) {
    const auto document = ConfigDocument::parse(document_of(key, edit.json), "edit of " + key);
    if (!document) return tl::unexpected<Error>(document.error());
    if (auto laid = values->overlay(*document, {Origin::From::api, edit.origin}); !laid) {
      return moved(laid.error());
    }
  }
  auto config = HuntConfig::make(std::move(*values));
  if (!config) return moved(config.error());
  if (check_) {
    if (auto checked = check_(*config); !checked) return checked;
  }
  state.config = std::make_shared<const HuntConfig>(std::move(*config));
  return {};
}

Result<std::uint64_t> ConfigHistory::reload(ConfigDocument file, Timestamp now) {
  const std::lock_guard one(changing_);
  auto values = ConfigValues::read(config_schema(), file);
  if (!values) return moved(values.error());
  State state = state_;
  state.file = std::move(file);
  return take_file(std::move(state), given_by(*values), now);
}

Result<std::uint64_t> ConfigHistory::take_file(State state, const GivenValues& given,
                                               Timestamp now) {
  std::vector<std::string> changed, overtaken;
  bool weights = false;
  each_config_key([&](const ConfigKey& key) {
    const GivenValues& earlier = state.given;
    const auto before = earlier.find(key.path);
    const auto after = given.find(key.path);
    const bool same = before == earlier.end()
                          ? after == given.end()
                          : after != given.end() && before->second == after->second;
    if (same) return;
    changed.emplace_back(key.path);
    weights = weights || !weight_word(key.path).empty();
  });
  for (const auto& [key, edit] : state.edits) {
    const bool is_changed = std::find(changed.begin(), changed.end(), key) != changed.end();
    if (is_changed || (weights && !weight_word(key).empty())) overtaken.push_back(key);
  }
  const bool first = state.number == 0;
  std::vector<std::string> warnings;
  state.given = given;
  drop_edits(state.edits, overtaken, "the file was changed after", warnings);
  auto built = build(state);
  if (!built && !state.edits.empty()) {
    // Each is right by itself, both together are not: the file is the later one.
    std::vector<std::string> all;
    for (const auto& [key, edit] : state.edits)
      all.push_back(key);
    State alone = state;
    alone.edits.clear();
    if (auto good = build(alone); !good) return moved(good.error());
    const std::string why = built.error().message();
    state.config = std::move(alone.config);
    drop_edits(state.edits, all, "they do not go with the file: " + why, warnings);
    overtaken.insert(overtaken.end(), all.begin(), all.end());
  } else if (!built) {
    return moved(built.error());
  }
  if (!first && changed.empty() && overtaken.empty()) {
    return set(std::move(state), warnings);
  }
  Version version;
  version.time = now;
  version.who = state.file.file;
  version.how = "file";
  version.words = first ? "first start" : "the file changed: " + joined(changed);
  return keep(std::move(state), std::move(version), warnings);
}

Result<ConfigHistory::State> ConfigHistory::edited(std::string_view json, const std::string& who,
                                                   Timestamp now, std::vector<Error>* all,
                                                   bool& any) const {
  const auto refuse = [&](Error error) {
    if (all != nullptr && all->empty()) all->push_back(error);
    return tl::unexpected<Error>(std::move(error));
  };
  if (all != nullptr) all->clear();
  auto parsed = parse_config_edit(json, all);
  if (!parsed) return moved(parsed.error());
  if (parsed->version && *parsed->version != state_.number) {
    return refuse({ErrorKind::usage, "change", "the configuration",
                   "it was changed meanwhile: version " + std::to_string(state_.number) +
                       " holds, the request began with " + std::to_string(*parsed->version)});
  }
  const std::string origin =
      "version " + std::to_string(state_.number + 1) + " by " + who + " at " + to_rfc3339(now);
  ConfigValues values = state_.config->values;
  const auto named = values.overlay(parsed->document, {Origin::From::api, origin}, all);
  if (!named) return tl::unexpected<Error>(named.error());
  const auto file = ConfigValues::read(config_schema(), state_.file);
  if (!file) return tl::unexpected<Error>(file.error());
  State state = state_;
  any = false;
  for (const auto path : *named) {
    std::string value = values.to_json(path, true);
    if (value == state_.config->values.to_json(path, true)) continue;
    any = true;
    state.edits.erase(std::string(path));
    if (value != file->to_json(path, true)) {
      state.edits[std::string(path)] = {std::move(value), origin};
    }
  }
  if (!any) return state;
  if (auto built = build(state); !built) {
    Error error = std::move(built.error());
    const std::string place = Origin{Origin::From::api, origin}.to_string();
    if (error.subject.starts_with(place)) error.subject.replace(0, place.size(), "the request");
    return refuse(std::move(error));
  }
  return state;
}

Result<std::uint64_t> ConfigHistory::edit(std::string_view json, const std::string& who,
                                          Timestamp now, std::vector<Error>* all) {
  const std::lock_guard one(changing_);
  bool any = false;
  auto state = edited(json, who, now, all, any);
  if (!state) return moved(state.error());
  if (!any) return state_.number;
  Version version;
  version.time = now;
  version.who = who;
  version.how = "api";
  return keep(std::move(*state), std::move(version));
}

Result<std::shared_ptr<const HuntConfig>> ConfigHistory::preview(std::string_view json,
                                                                 std::vector<Error>* all) const {
  const std::lock_guard one(changing_);
  bool any = false;
  auto state = edited(json, "preview", {}, all, any);
  if (!state) return moved(state.error());
  return state->config;
}

Result<std::uint64_t> ConfigHistory::roll_back(std::uint64_t to, const std::string& who,
                                               Timestamp now) {
  const std::lock_guard one(changing_);
  State then;
  const auto found = database_.transact([&](SQLite::Database& tables) -> Result<bool> {
    SQLite::Statement row(tables, "SELECT given, edits FROM config_version WHERE number = ?");
    row.bind(1, to_column(to));
    if (!row.executeStep()) return false;
    then.given = given_from_json(row.getColumn(0).getString());
    then.edits = edits_from_json(row.getColumn(1).getString());
    return true;
  });
  if (!found) return tl::unexpected<Error>(found.error());
  if (!*found) {
    return fail(ErrorKind::not_found, "roll back to", "version " + std::to_string(to),
                "there is none; see the history");
  }
  const auto file = ConfigValues::read(config_schema(), state_.file);
  if (!file) return tl::unexpected<Error>(file.error());
  const ConfigValues defaults(config_schema());
  const std::string origin =
      "version " + std::to_string(state_.number + 1) + " by " + who + " at " + to_rfc3339(now);
  State state = state_;
  state.edits.clear();
  each_config_key([&](const ConfigKey& key) {
    if (!is_editable(key.path)) return;
    const auto edit = then.edits.find(key.path);
    const auto given = then.given.find(key.path);
    const std::string value = edit != then.edits.end()    ? edit->second.json
                              : given != then.given.end() ? given->second
                                                          : defaults.to_json(key.path, true);
    if (value == file->to_json(key.path, true)) return;
    const auto now_edit = state_.edits.find(key.path);
    const bool as_now = now_edit != state_.edits.end() && now_edit->second.json == value;
    state.edits[std::string(key.path)] = as_now ? now_edit->second : ConfigOverride{value, origin};
  });
  if (auto built = build(state); !built) return moved(built.error());
  Version version;
  version.time = now;
  version.who = who;
  version.how = "rollback";
  version.words = "back to version " + std::to_string(to);
  return keep(std::move(state), std::move(version));
}

Result<std::uint64_t> ConfigHistory::keep(State state, Version version,
                                          const std::vector<std::string>& warnings) {
  version.number = ++state.number;
  version.changes =
      differences(state_.config ? &state_.config->values : nullptr, state.config->values);
  auto done = database_.transact([&](SQLite::Database& tables) -> Result<void> {
    SQLite::Statement insert(tables, "INSERT INTO config_version VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
    insert.bind(1, to_column(version.number));
    insert.bind(2, to_column(version.time));
    insert.bind(3, version.who);
    insert.bind(4, version.how);
    insert.bind(5, version.words);
    insert.bind(6, given_to_json(state.given));
    insert.bind(7, edits_to_json(state.edits));
    insert.bind(8, changes_to_json(version.changes));
    insert.exec();
    if (version.number > kMostVersions) {
      SQLite::Statement prune(tables, "DELETE FROM config_version WHERE number <= ?");
      prune.bind(1, to_column(version.number - kMostVersions));
      prune.exec();
    }
    return {};
  });
  if (!done) return moved(done.error());
  return set(std::move(state), warnings);
}

std::uint64_t ConfigHistory::set(State state, const std::vector<std::string>& warnings) {
  const std::lock_guard lock(mutex_);
  state_ = std::move(state);
  warnings_.insert(warnings_.end(), warnings.begin(), warnings.end());
  return state_.number;
}

std::shared_ptr<const HuntConfig> ConfigHistory::current() const {
  const std::lock_guard lock(mutex_);
  return state_.config;
}

std::uint64_t ConfigHistory::version() const {
  const std::lock_guard lock(mutex_);
  return state_.number;
}

std::vector<std::string> ConfigHistory::warnings() const {
  const std::lock_guard lock(mutex_);
  return std::exchange(warnings_, {});
}

std::string ConfigHistory::to_json() const {
  const std::lock_guard lock(mutex_);
  return config_sections_json(state_.config->values, state_.number);
}

std::string ConfigHistory::origins_json() const {
  const std::lock_guard lock(mutex_);
  return config_origins_json(state_.config->values, state_.number);
}

Result<std::vector<ConfigHistory::Version>> ConfigHistory::versions(std::size_t limit,
                                                                    std::uint64_t before) const {
  return database_.transact([&](SQLite::Database& tables) -> Result<std::vector<Version>> {
    SQLite::Statement rows(tables,
                           "SELECT number, time, who, how, words, changes FROM config_version "
                           "WHERE ?1 = 0 OR number < ?1 ORDER BY number DESC LIMIT ?2");
    rows.bind(1, to_column(before));
    rows.bind(2, to_column(std::uint64_t{limit}));
    std::vector<Version> versions;
    while (rows.executeStep()) {
      Version version;
      version.number = count_in(rows.getColumn(0));
      version.time = time_in(rows.getColumn(1));
      version.who = rows.getColumn(2).getString();
      version.how = rows.getColumn(3).getString();
      version.words = rows.getColumn(4).getString();
      version.changes = changes_from_json(rows.getColumn(5).getString());
      versions.push_back(std::move(version));
    }
    return versions;
  });
}

}  // namespace beaconry
