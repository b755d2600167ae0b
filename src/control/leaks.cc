#include "control/leaks.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/log.h"
#include "control/answer.h"
#include "control/leak_alert.h"
#include "control/leak_json.h"
#include "control/leak_row.h"
#include "store/columns.h"
#include "store/transaction.h"

namespace beaconry {
namespace {

constexpr const char* kMigrations[] = {
    "CREATE TABLE leak (id TEXT PRIMARY KEY, body TEXT NOT NULL);"
    // An alert that was made stays by its id; its text goes once it is queued.
    "CREATE TABLE leak_alert (id TEXT PRIMARY KEY, time INTEGER NOT NULL, alert TEXT);"
    "CREATE INDEX leak_alert_waiting ON leak_alert (time) WHERE alert IS NOT NULL",
    // When a home was last there, and the times before in which it was not.
    "CREATE TABLE home_hearing (home TEXT PRIMARY KEY, listened INTEGER NOT NULL);"
    "CREATE TABLE home_gap (home TEXT NOT NULL, since INTEGER NOT NULL, until INTEGER NOT NULL)"};
constexpr Duration kLeastSkew = std::chrono::seconds{10};
constexpr Duration kHearingInterval = std::chrono::seconds{20};
constexpr Duration kPruneInterval = std::chrono::minutes{1};
constexpr Duration kAlertIdsKept = std::chrono::hours{24 * 400};
constexpr std::string_view kAuthor = "beaconry-control";

bool is_of_a_probe(const Observation& seen) {
  return seen.authenticity != Authenticity::unknown_key;
}

}  // namespace

// What came of one batch or of time.
struct Leaks::News {
  std::vector<JudgedObservation> rows;
  std::set<std::string> touched;  // leaks that are not what was kept
  std::vector<std::string> dropped;
  std::vector<LeakBook::Change> changes;
  std::vector<Alert> alerts;
};

Leaks::Leaks(const Parts& parts, const Settings& settings) : parts_(parts), settings_(settings) {}

Leaks::~Leaks() {
  stop();
}

Result<std::unique_ptr<Leaks>> Leaks::open(const Parts& parts, const Settings& settings,
                                           Timestamp now) {
  std::unique_ptr<Leaks> leaks(new Leaks(parts, settings));
  auto observations = Observations::open(parts.database);
  if (!observations) return tl::unexpected<Error>(std::move(observations.error()));
  leaks->observations_ = std::move(*observations);
  if (auto done = parts.database.migrate("leaks", kMigrations); !done) {
    return tl::unexpected<Error>(std::move(done.error()));
  }
  if (auto done = leaks->restore(now); !done) return tl::unexpected<Error>(std::move(done.error()));
  return leaks;
}

// The book as the database has it. REQUIRES: mutex_ is held, or nobody else knows of this yet.
Result<void> Leaks::restore(Timestamp now) {
  std::vector<Leak> leaks;
  LeakBook::Hearings hearings;
  auto read = parts_.database.transact([&](SQLite::Database& tables) -> Result<void> {
    SQLite::Statement row(tables, "SELECT body FROM leak");
    while (row.executeStep()) {
      auto leak = leak_from_row(row.getColumn(0).getString());
      if (leak) {
        leaks.push_back(std::move(*leak));
      } else {
        log_warning(leak.error().message());
      }
    }
    SQLite::Statement home(tables, "SELECT home, listened FROM home_hearing");
    while (home.executeStep())
      hearings[home.getColumn(0).getString()].listened = time_in(home.getColumn(1));
    SQLite::Statement gap(tables, "SELECT home, since, until FROM home_gap ORDER BY since");
    while (gap.executeStep()) {
      hearings[gap.getColumn(0).getString()].gaps.emplace_back(time_in(gap.getColumn(1)),
                                                               time_in(gap.getColumn(2)));
    }
    return {};
  });
  if (!read) return read;
  // What this one heard itself is newer.
  if (book_ != nullptr) {
    for (const auto& [name, hearing] : book_->hearings())
      hearings[name] = hearing;
  }
  auto seen = observations_->newest(kRemembered);
  if (!seen) return tl::unexpected<Error>(std::move(seen.error()));
  auto totals = observations_->totals();
  if (!totals) return tl::unexpected<Error>(std::move(totals.error()));
  book_ = std::make_unique<LeakBook>();
  generation_ = 0;
  follow_probes(now);
  book_->restore(std::move(leaks));
  book_->restore_hearings(std::move(hearings));
  for (const Observation& each : *seen)
    book_->remember(each);
  totals_ = *totals;
  return {};
}

void Leaks::follow_probes(Timestamp now) {
  const std::uint64_t generation = parts_.probes.generation();
  if (generation == generation_ && now < next_end_) return;
  book_->set_probes(parts_.probes.schedules(now, next_end_));
  generation_ = generation;
}

void Leaks::set_settings(const Settings& settings) {
  const std::lock_guard lock(mutex_);
  settings_ = settings;
}

// Does a person's decision keep this change from being told? A decision is about the leak as it was
// then: it ends when the leak turns two-way, and an acknowledgement when it comes back.
bool Leaks::is_muted(const LeakBook::Change& change, Timestamp now) {
  const std::string& id = change.leak.id;
  const auto decision = parts_.triage.holds(id, 0, {}, now);
  if (!decision) log_warning(decision.error().message());
  if (!decision || !*decision) return false;
  std::string why;
  if (change.kind == LeakChange::two_way) {
    why = "reopened: it is two-way now";
  } else if (change.kind == LeakChange::reopened &&
             (*decision)->decision == Triage::Decision::acknowledged) {
    why = "reopened: it came back after it had been closed";
  } else {
    return true;
  }
  const auto gone = parts_.triage.withdraw(id, std::string(kAuthor), why, now);
  if (!gone) log_warning(gone.error().message());
  return false;
}

void Leaks::judge(LeakBook::Outcome outcome, News& news, Timestamp now) {
  if (!outcome.leak_id.empty()) news.touched.insert(outcome.leak_id);
  news.dropped.insert(news.dropped.end(), outcome.dropped.begin(), outcome.dropped.end());
  for (LeakBook::Change& change : outcome.changes) {
    news.touched.insert(change.leak.id);
    if (!is_muted(change, now)) {
      news.alerts.push_back(leak_alert(change, parts_.probes.name_of(change.leak.probe), now));
    }
    news.changes.push_back(std::move(change));
  }
  for (const LeakBook::ProbeChange& change : outcome.probes)
    news.alerts.push_back(probe_alert(change, parts_.probes.name_of(change.probe), now));
}

// All of it or nothing. REQUIRES: mutex_ is held.
Result<void> Leaks::keep(const Batch* batch, const News& news, Timestamp now) {
  if (batch == nullptr && news.touched.empty() && news.alerts.empty()) return {};
  auto done = parts_.database.transact([&](SQLite::Database& tables) -> Result<void> {
    if (batch != nullptr) Observations::write(tables, batch->source, news.rows);
    SQLite::Statement gone(tables, "DELETE FROM leak WHERE id = ?");
    for (const std::string& id : news.dropped) {
      gone.reset();
      gone.bind(1, id);
      gone.exec();
    }
    SQLite::Statement leak_row_(tables, "INSERT OR REPLACE INTO leak VALUES (?, ?)");
    for (const std::string& id : news.touched) {
      const auto leak = book_->find(id);
      if (!leak) continue;
      leak_row_.reset();
      leak_row_.bind(1, id);
      leak_row_.bind(2, leak_row(*leak));
      leak_row_.exec();
    }
    for (const Alert& each : news.alerts)
      hold(tables, each);
    return {};
  });
  if (done) return done;
  // The book knows what the database does not.
  if (auto again = restore(now); !again) log_warning(again.error().message());
  return done;
}

Result<bool> Leaks::take(Batch batch, Timestamp now) {
  News news;
  {
    const std::lock_guard lock(mutex_);
    const auto known = observations_->knows(batch.source);
    if (!known) return tl::unexpected<Error>(known.error());
    if (*known) return false;
    follow_probes(now);
    news.rows.reserve(batch.observations.size());
    // By the server's clock from here on, as the cycles and retirements that they are held against.
    // What a request's way takes is no skew.
    const Duration skew = batch.clock_skew > kLeastSkew || batch.clock_skew < -kLeastSkew
                              ? batch.clock_skew
                              : Duration{0};
    for (Observation& seen : batch.observations) {
      seen.received -= skew;
      if (is_of_a_probe(seen)) {
        // Revocation holds here also where a home has not heard of it yet.
        const auto probe = parts_.probes.find(seen.ping.probe);
        if (probe && probe->is_retired(seen.received)) seen.retired = true;
        // No other than the home that a probe's pings are sealed for can open them.
        if (probe && probe->home != batch.source.edge) {
          seen.authenticity = Authenticity::unknown_key;
          ++foreign_;
        }
      }
      LeakBook::Outcome outcome = book_->add(seen);
      news.rows.push_back({std::move(seen), outcome.what, outcome.leak_id});
      judge(std::move(outcome), news, now);
    }
    if (auto done = keep(&batch, news, now); !done) {
      return tl::unexpected<Error>(std::move(done.error()));
    }
    for (const JudgedObservation& row : news.rows) {
      ++totals_[std::min(static_cast<std::size_t>(row.what), totals_.size() - 1)];
      const bool says_where = row.what == ObservationClass::fresh ||
                              row.what == ObservationClass::duplicate ||
                              row.what == ObservationClass::retired;
      if (!says_where || row.seen.authenticity != Authenticity::authentic) continue;
      if (row.seen.carrier == Carrier::injected) continue;  // home made it
      // What a retired key says of itself is worth nothing any more; where it came from is.
      Probes::Whereabouts where;
      where.outer = row.seen.source;
      if (row.what != ObservationClass::retired) {
        where.own = row.seen.ping.source;
        if (row.seen.ping.method == MethodId::dns) where.resolver = row.seen.ping.via;
      }
      const auto heard = parts_.probes.heard(row.seen.ping.probe, where, row.seen.received);
      if (!heard) log_warning(heard.error().message());
    }
  }
  if (batch.replayed) return true;
  publish(news);
  // What is kept is sent: now, or with a later tick.
  if (auto sent = send(); !sent) log_warning(sent.error().message());
  return true;
}

Result<void> Leaks::tick(Timestamp now) {
  News news;
  {
    const std::lock_guard lock(mutex_);
    follow_probes(now);
    judge(book_->tick(now), news, now);
    if (auto done = keep(nullptr, news, now); !done) return done;
    if (now >= hearings_kept_ + kHearingInterval || now < hearings_kept_) {
      if (auto done = keep_hearings(now); !done) return done;
    }
    if (now >= pruned_ + kPruneInterval || now < pruned_) {
      pruned_ = now;
      prune(now);
    }
  }
  publish(news);
  return send();
}

// So that a restart knows how long nobody listened. REQUIRES: mutex_ is held.
Result<void> Leaks::keep_hearings(Timestamp now) {
  hearings_kept_ = now;
  if (book_->hearings().empty()) return {};
  return parts_.database.transact([&](SQLite::Database& tables) -> Result<void> {
    tables.exec("DELETE FROM home_hearing");
    tables.exec("DELETE FROM home_gap");
    SQLite::Statement row(tables, "INSERT INTO home_hearing VALUES (?, ?)");
    SQLite::Statement row_of_gap(tables, "INSERT INTO home_gap VALUES (?, ?, ?)");
    for (const auto& [home, hearing] : book_->hearings()) {
      row.reset();
      row.bind(1, home);
      row.bind(2, to_column(hearing.listened));
      row.exec();
      for (const auto& [since, until] : hearing.gaps) {
        row_of_gap.reset();
        row_of_gap.bind(1, home);
        row_of_gap.bind(2, to_column(since));
        row_of_gap.bind(3, to_column(until));
        row_of_gap.exec();
      }
    }
    return {};
  });
}

// REQUIRES: mutex_ is held.
void Leaks::prune(Timestamp now) {
  const auto gone =
      observations_->prune(settings_.most_observations, now - settings_.observation_retention);
  if (!gone) log_warning(gone.error().message());
  const auto done = parts_.database.transact([&](SQLite::Database& tables) -> Result<void> {
    SQLite::Statement ids(tables, "DELETE FROM leak_alert WHERE alert IS NULL AND time < ?");
    ids.bind(1, to_column(now - kAlertIdsKept));
    ids.exec();
    return {};
  });
  if (!done) log_warning(done.error().message());
}

// Alerts that wait, in their order. The list knows them by their ids; the queue does not, so that
// one that was pushed is remembered here until the database knows. After a crash in between it
// comes again: sinks get every alert at least once, always by the same id.
Result<void> Leaks::send() {
  const std::lock_guard lock(sending_);
  std::vector<std::pair<std::string, std::string>> waiting;
  auto done = parts_.database.transact([&](SQLite::Database& tables) -> Result<void> {
    SQLite::Statement row(
        tables,
        "SELECT id, alert FROM leak_alert WHERE alert IS NOT NULL ORDER BY time, rowid LIMIT 1000");
    while (row.executeStep())
      waiting.emplace_back(row.getColumn(0).getString(), row.getColumn(1).getString());
    return {};
  });
  if (!done || waiting.empty()) return done;
  std::vector<std::string> sent;
  Result<void> failed;
  for (const auto& [id, json] : waiting) {
    const auto alert = alert_from_json(json);
    if (!alert) {
      log_warning(alert.error().message());
    } else {
      // What the queue has goes to the sinks, whatever comes of the rest.
      if (pushed_.count(id) == 0) failed = parts_.queue.push(*alert);
      if (failed) pushed_.insert(id);
      if (failed) failed = parts_.alerts.add(*alert);
      if (!failed) break;
      ++alerts_made_;
      parts_.events.publish("alert", json);
    }
    sent.push_back(id);
  }
  done = parts_.database.transact([&](SQLite::Database& tables) -> Result<void> {
    SQLite::Statement settle(tables, "UPDATE leak_alert SET alert = NULL WHERE id = ?");
    for (const std::string& id : sent) {
      settle.reset();
      settle.bind(1, id);
      settle.exec();
    }
    return {};
  });
  if (done) {
    for (const std::string& id : sent)
      pushed_.erase(id);
  }
  return failed ? done : failed;
}

void Leaks::hold(SQLite::Database& tables, const Alert& alert) {
  SQLite::Statement row(tables, "INSERT OR IGNORE INTO leak_alert VALUES (?, ?, ?)");
  row.bind(1, alert.id);
  row.bind(2, to_column(alert.time));
  row.bind(3, to_json(alert));
  row.exec();
}

Result<void> Leaks::tell(const Alert& alert) {
  auto done = parts_.database.transact([&](SQLite::Database& tables) -> Result<void> {
    hold(tables, alert);
    return {};
  });
  if (!done) return done;
  // What is kept is sent: now, or with a later tick.
  if (auto sent = send(); !sent) log_warning(sent.error().message());
  return {};
}

void Leaks::publish(const News& news) {
  if (parts_.events.listeners() == 0) return;
  for (const LeakBook::Change& change : news.changes) {
    parts_.events.publish("leak", json_text([&](JsonWriter& json) {
                            json.begin();
                            json.plain("change", change_word(change.kind));
                            const auto decision = parts_.triage.find(change.leak.id);
                            write_leak(json, change.leak, parts_.probes.name_of(change.leak.probe),
                                       decision ? to_string(decision->decision) : "");
                            json.end();
                          }));
  }
}

void Leaks::start(std::function<Timestamp()> clock) {
  thread_ = std::thread([this, clock = std::move(clock)] { loop(clock); });
}

void Leaks::stop() {
  {
    const std::lock_guard lock(stop_mutex_);
    stop_ = true;
  }
  woken_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Leaks::loop(const std::function<Timestamp()>& clock) {
  std::string said;  // a full disk is told of once
  for (;;) {
    {
      std::unique_lock lock(stop_mutex_);
      if (woken_.wait_for(lock, kTick, [&] { return stop_; })) return;
    }
    const auto done = tick(clock());
    const std::string words = done ? std::string() : done.error().message();
    if (words != said && !words.empty()) log_warning("leaks: " + words);
    said = words;
  }
}

void Leaks::home_listened(const std::string& home, Timestamp at) {
  const std::lock_guard lock(mutex_);
  book_->home_listened(home, at);
}

std::vector<Leak> Leaks::list() const {
  std::vector<Leak> leaks;
  {
    const std::lock_guard lock(mutex_);
    leaks = book_->leaks();
  }
  std::sort(leaks.begin(), leaks.end(), [](const Leak& a, const Leak& b) {
    if (a.closed.has_value() != b.closed.has_value()) return !a.closed.has_value();
    return a.last != b.last ? a.last > b.last : a.id < b.id;
  });
  return leaks;
}

std::optional<Leak> Leaks::find(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  return book_->find(id);
}

std::optional<Timestamp> Leaks::last_heard(ProbeId probe) const {
  const std::lock_guard lock(mutex_);
  return book_->last_heard(probe);
}

std::optional<Timestamp> Leaks::last_control(ProbeId probe) const {
  const std::lock_guard lock(mutex_);
  return book_->last_control(probe);
}

std::uint64_t Leaks::refused() const {
  const std::lock_guard lock(mutex_);
  return book_->leaks_refused();
}

Observations::Totals Leaks::totals() const {
  const std::lock_guard lock(mutex_);
  return totals_;
}

}  // namespace beaconry
