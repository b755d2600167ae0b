#include "control/triage.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/text.h"
#include "store/columns.h"
#include "store/transaction.h"

namespace beaconry {
namespace {

constexpr const char* kMigrations[] = {
    "CREATE TABLE triage (subject TEXT PRIMARY KEY, decision TEXT NOT NULL, reason TEXT NOT NULL, "
    "author TEXT NOT NULL, made INTEGER NOT NULL, expires INTEGER, interval REAL NOT NULL, "
    "destinations TEXT NOT NULL);"
    "CREATE TABLE triage_step (number INTEGER PRIMARY KEY AUTOINCREMENT, subject TEXT NOT NULL, "
    "time INTEGER NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL, words TEXT NOT NULL);"
    "CREATE INDEX triage_step_by_subject ON triage_step (subject, number)"};
constexpr std::size_t kLongestReason = 4096;
constexpr std::size_t kLongestSubject = 1024;
constexpr std::size_t kMostDestinations = 100;
constexpr std::size_t kMostSteps = 1000;  // of a subject
constexpr double kOtherRhythm = 0.2;      // of the interval

std::string list_text(const std::vector<std::string>& words) {
  return nlohmann::json(words).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::vector<std::string> list_in(const std::string& text) {
  std::vector<std::string> words;
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_array()) return words;
  for (const auto& word : json) {
    if (word.is_string()) words.push_back(word.get<std::string>());
  }
  return words;
}

void write_step(SQLite::Database& tables, const std::string& subject, const Triage::Step& step) {
  SQLite::Statement insert(
      tables, "INSERT INTO triage_step (subject, time, who, what, words) VALUES (?, ?, ?, ?, ?)");
  insert.bind(1, subject);
  insert.bind(2, to_column(step.time));
  insert.bind(3, step.who);
  insert.bind(4, step.what);
  insert.bind(5, step.words);
  insert.exec();
  SQLite::Statement prune(
      tables,
      "DELETE FROM triage_step WHERE subject = ?1 AND number <= (SELECT number FROM triage_step "
      "WHERE subject = ?1 ORDER BY number DESC LIMIT 1 OFFSET ?2)");
  prune.bind(1, subject);
  prune.bind(2, to_column(std::uint64_t{kMostSteps}));
  prune.exec();
}

std::string interval_words(double seconds) {
  if (seconds <= 0) return "none";
  return to_words(std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds)));
}

// Why a decision is about something else than what is there now; empty if it is not.
std::string what_differs(const Triage::Entry& entry, double interval_seconds,
                         const std::vector<std::string>& destinations) {
  const double change = std::abs(interval_seconds - entry.interval_seconds);
  if (entry.interval_seconds > 0 && interval_seconds > 0 &&
      change > kOtherRhythm * entry.interval_seconds) {
    return "its interval changed from " + interval_words(entry.interval_seconds) + " to " +
           interval_words(interval_seconds);
  }
  const bool any_left =
      std::any_of(destinations.begin(), destinations.end(), [&](const std::string& destination) {
        return std::find(entry.destinations.begin(), entry.destinations.end(), destination) !=
               entry.destinations.end();
      });
  if (!entry.destinations.empty() && !destinations.empty() && !any_left) {
    return "its destination changed from " + entry.destinations.front() + " to " +
           destinations.front();
  }
  return {};
}

}  // namespace

std::string_view to_string(Triage::Decision decision) {
  return decision == Triage::Decision::benign ? "benign" : "acknowledged";
}

std::optional<Triage::Decision> parse_decision(std::string_view word) {
  for (const auto decision : {Triage::Decision::acknowledged, Triage::Decision::benign}) {
    if (to_string(decision) == word) return decision;
  }
  return std::nullopt;
}

Result<std::unique_ptr<Triage>> Triage::open(Database& database) {
  if (auto done = database.migrate("triage", kMigrations); !done) {
    return tl::unexpected<Error>(std::move(done.error()));
  }
  std::unique_ptr<Triage> triage(new Triage(database));
  auto read = database.transact([&](SQLite::Database& tables) -> Result<void> {
    SQLite::Statement row(
        tables,
        "SELECT subject, decision, reason, author, made, expires, interval, destinations FROM "
        "triage");
    while (row.executeStep()) {
      Entry entry;
      entry.subject = row.getColumn(0).getString();
      entry.decision =
          parse_decision(row.getColumn(1).getString()).value_or(Decision::acknowledged);
      entry.reason = row.getColumn(2).getString();
      entry.author = row.getColumn(3).getString();
      entry.made = time_in(row.getColumn(4));
      entry.expires = maybe_time_in(row.getColumn(5));
      entry.interval_seconds = row.getColumn(6).getDouble();
      entry.destinations = list_in(row.getColumn(7).getString());
      triage->entries_[entry.subject] = std::move(entry);
    }
    return {};
  });
  if (!read) return tl::unexpected<Error>(std::move(read.error()));
  return triage;
}

Result<void> Triage::decide(const Entry& entry) {
  const auto refuse = [&](std::string cause) {
    return fail(ErrorKind::usage, "triage", terminal_safe(entry.subject.substr(0, 100)),
                std::move(cause));
  };
  if (entry.subject.empty() || entry.subject.size() > kLongestSubject) {
    return refuse("name the pair");
  }
  if (trim(entry.reason).empty()) return refuse("give a reason: others will ask for it");
  if (entry.reason.size() > kLongestReason) return refuse("the reason is longer than 4096 bytes");
  if (!(entry.interval_seconds >= 0)) return refuse("the interval must not be negative");
  if (entry.expires && *entry.expires <= entry.made) return refuse("it would have expired already");
  Entry kept = entry;
  if (kept.destinations.size() > kMostDestinations) kept.destinations.resize(kMostDestinations);
  const std::lock_guard lock(mutex_);
  auto done = database_.transact([&](SQLite::Database& tables) -> Result<void> {
    SQLite::Statement write(tables,
                            "INSERT OR REPLACE INTO triage VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
    write.bind(1, kept.subject);
    write.bind(2, std::string(to_string(kept.decision)));
    write.bind(3, kept.reason);
    write.bind(4, kept.author);
    write.bind(5, to_column(kept.made));
    bind_time(write, 6, kept.expires);
    write.bind(7, kept.interval_seconds);
    write.bind(8, list_text(kept.destinations));
    write.exec();
    write_step(tables, kept.subject,
               {kept.made, kept.author, std::string(to_string(kept.decision)), kept.reason});
    return {};
  });
  if (done) entries_[kept.subject] = std::move(kept);
  return done;
}

// REQUIRES: mutex_ is held.
Result<void> Triage::close(const std::string& subject, const Step& step) {
  auto done = database_.transact([&](SQLite::Database& tables) -> Result<void> {
    SQLite::Statement remove(tables, "DELETE FROM triage WHERE subject = ?");
    remove.bind(1, subject);
    remove.exec();
    write_step(tables, subject, step);
    return {};
  });
  if (done) entries_.erase(subject);
  return done;
}

Result<bool> Triage::withdraw(const std::string& subject, const std::string& who,
                              const std::string& words, Timestamp now) {
  const std::lock_guard lock(mutex_);
  if (entries_.find(subject) == entries_.end()) return false;
  if (auto done = close(subject, {now, who, "withdrawn", words}); !done) {
    return tl::unexpected<Error>(std::move(done.error()));
  }
  return true;
}

Result<std::optional<Triage::Entry>> Triage::holds(const std::string& subject,
                                                   double interval_seconds,
                                                   const std::vector<std::string>& destinations,
                                                   Timestamp now) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(subject);
  if (found == entries_.end()) return std::nullopt;
  const Entry& entry = found->second;
  Step step{now, "beaconry", "", ""};
  if (entry.expires && *entry.expires <= now) {
    step.what = "expired";
    step.words = "was decided until " + to_rfc3339(*entry.expires);
  } else if (auto words = what_differs(entry, interval_seconds, destinations); !words.empty()) {
    step.what = "reopened";
    step.words = std::move(words);
  } else {
    return std::optional<Entry>(entry);
  }
  if (auto done = close(subject, step); !done) {
    return tl::unexpected<Error>(std::move(done.error()));
  }
  return std::nullopt;
}

std::optional<Triage::Entry> Triage::find(const std::string& subject) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(subject);
  return found == entries_.end() ? std::nullopt : std::optional(found->second);
}

std::vector<Triage::Entry> Triage::list() const {
  const std::lock_guard lock(mutex_);
  std::vector<Entry> entries;
  for (const auto& [subject, entry] : entries_)
    entries.push_back(entry);
  return entries;
}

Result<std::vector<Triage::Step>> Triage::history(const std::string& subject) const {
  return database_.transact([&](SQLite::Database& tables) -> Result<std::vector<Step>> {
    SQLite::Statement rows(
        tables, "SELECT time, who, what, words FROM triage_step WHERE subject = ? ORDER BY number");
    rows.bind(1, subject);
    std::vector<Step> steps;
    while (rows.executeStep()) {
      steps.push_back({time_in(rows.getColumn(0)), rows.getColumn(1).getString(),
                       rows.getColumn(2).getString(), rows.getColumn(3).getString()});
    }
    return steps;
  });
}

}  // namespace beaconry
