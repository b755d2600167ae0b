#include "control/analysis.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/log.h"
#include "control/answer.h"
#include "control/beacon_alert.h"
#include "control/beacon_json.h"
#include "control/control.h"
#include "control/our_traffic.h"
#include "control/status_json.h"
#include "control/watch_state.h"
#include "http/certificates.h"
#include "hunt/policy.h"

namespace beaconry {
namespace {

using Clock = std::chrono::steady_clock;  // pauses do not follow a clock that is set

constexpr Duration kCertificateChecked = std::chrono::hours{24};
constexpr Duration kBeaconsKept = std::chrono::hours{24 * 90};

// A probe's own calls are listed, as ours, but nobody is told of them.
bool is_shown_beacon(const ScoredPair& pair) {
  return pair.verdict.is_beacon && (pair.hidden == Hidden::no || pair.hidden == Hidden::ours);
}

void apply_policy(const HuntConfig& config, LiveAnalysis& analysis) {
  HuntReport report;
  report.pairs = std::move(analysis.pairs);
  apply_allow_list(config.allow, report);
  apply_baseline(config.baseline, report);
  reveal_represented(report);
  analysis.pairs = std::move(report.pairs);
}

Beacons::Beacon row_of(const ScoredPair& pair, const DetectionSettings& settings, Timestamp now) {
  Beacons::Beacon row;
  row.identity = pair.identity();
  row.verdict = beacon_json(pair, settings, now);
  row.score = pair.verdict.combined_score;
  row.severity = static_cast<int>(severity_of(pair.verdict.confidence));
  row.is_beacon = is_shown_beacon(pair);
  row.first_flagged = row.last_flagged = row.analyzed = now;
  BeaconRow& listed = row.row.emplace();
  listed.src_ip = pair.key.source.to_string();
  listed.src_name = pair.source_name;
  listed.dst_ip = pair.key.destination.to_string();
  if (pair.kind == PairKind::named) {
    for (const IpAddress& address : pair.destinations)
      listed.dst_ips += (listed.dst_ips.empty() ? "" : " ") + address.to_string();
  }
  listed.server_name = pair.server_name;
  listed.dst_name = pair.server_name.empty() ? pair.address_name : pair.server_name;
  listed.dst_port = pair.key.port;
  listed.protocol = to_string(pair.key.protocol);
  listed.interval_seconds = pair.verdict.interval_seconds;
  listed.check_ins = pair.check_ins;
  listed.first_seen = pair.first_seen;
  listed.last_seen = pair.last_seen;
  if (pair.hidden == Hidden::ours) listed.ours = pair.hidden_reason;
  listed.summary = pair.verdict.summary;
  return row;
}

}  // namespace

Analysis::Analysis(Control& control) : control_(control) {}

Analysis::~Analysis() {
  stop();
}

void Analysis::start() {
  thread_ = std::thread([this] { loop(); });
}

void Analysis::stop() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  woken_.notify_all();
  if (thread_.joinable()) thread_.join();
}

bool Analysis::stopping() const {
  const std::lock_guard lock(mutex_);
  return stop_;
}

Analysis::Totals Analysis::totals() const {
  const std::lock_guard lock(mutex_);
  return totals_;
}

void Analysis::loop() {
  Clock::time_point analyzed = Clock::now(), cleaned = analyzed;
  for (;;) {
    const auto config = control_.config().current();
    const Duration every = config->values.duration("detection.analysis_interval").value();
    const Duration cleanup = config->values.duration("control_plane.cleanup_interval").value();
    {
      // A changed interval is seen within a second.
      std::unique_lock lock(mutex_);
      const auto next = std::min({analyzed + every, cleaned + cleanup,
                                  Clock::now() + Clock::duration(std::chrono::seconds{1})});
      woken_.wait_until(lock, next, [&] { return stop_; });
      if (stop_) return;
    }
    if (Clock::now() >= cleaned + cleanup) {
      clean_up();
      cleaned = Clock::now();
    }
    if (Clock::now() >= analyzed + every) {
      run_next();
      analyzed = Clock::now();
    }
  }
}

void Analysis::clean_up() {
  const Timestamp now = control_.now();
  const auto config = control_.config().current();
  control_.hunt().expire(now);
  if (now >= certificate_checked_ + kCertificateChecked) {
    certificate_checked_ = now;
    if (auto done = control_.renew_certificate(); !done) log_warning(done.error().message());
  }
  // Another process, `init`, may have made the first token and the first user.
  if (auto done = control_.tokens().refresh(); !done) log_warning(done.error().message());
  if (auto done = control_.users().refresh(); !done) log_warning(done.error().message());
  if (auto done = control_.sessions().save(now); !done) log_warning(done.error().message());
  // What the journal lets go of should be in the table. But on a full disk nothing could be saved
  // before the journal gave up some of it.
  const auto saved = control_.enrolled().save(now);
  control_.journal().release_before(
      now - config->values.duration("control_plane.data_retention").value());
  if (!saved) {
    if (auto again = control_.enrolled().save(now); !again) log_warning(again.error().message());
  }
  if (auto gone = control_.beacons().expire(now - kBeaconsKept); !gone) {
    log_warning(gone.error().message());
  }
  if (auto gone = control_.instrument_events().prune(now); !gone) {
    log_warning(gone.error().message());
  }
}

// One of those that may wait; false if there are too many.
class Analysis::Caller {
 public:
  explicit Caller(Analysis& analysis) : analysis_(analysis) {
    const std::lock_guard lock(analysis.mutex_);
    taken_ = !analysis.stop_ && analysis.callers_ < kMostCallers;
    if (taken_) ++analysis.callers_;
  }
  ~Caller() {
    const std::lock_guard lock(analysis_.mutex_);
    if (taken_) --analysis_.callers_;
  }
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;
  explicit operator bool() const { return taken_; }

 private:
  Analysis& analysis_;
  bool taken_ = false;
};

std::optional<Analysis::Run> Analysis::run() {
  const Caller caller(*this);
  return caller ? run_next() : std::nullopt;
}

std::optional<Analysis::Run> Analysis::run_next() {
  const std::lock_guard running(running_);
  if (stopping()) return std::nullopt;
  Run done = analyze();
  control_.metrics().analyzed(done.seconds);
  {
    const std::lock_guard lock(mutex_);
    ++totals_.runs;
    totals_.beacons += done.beacons_new;
    totals_.alerts += done.alerts_generated;
    totals_.suppressed += done.pairs_suppressed;
    totals_.pairs_analyzed += done.pairs_analyzed;
    totals_.errors += done.errors.size();
    totals_.last_seconds = done.seconds;
    totals_.last = done;
  }
  for (const std::string& error : done.errors)
    log_warning("analysis: " + error);
  if (control_.events().listeners() > 0) {
    control_.events().publish("status", json_text([&](JsonWriter& json) {
                                json.begin();
                                write_status(json, control_);
                                json.end();
                              }));
  }
  return done;
}

// What the store remembers, once.
void Analysis::load() {
  if (loaded_) return;
  const auto rows = control_.beacons().all();
  if (!rows) return log_warning(rows.error().message());
  for (const Beacons::Beacon& row : *rows) {
    if (row.is_beacon && !row.gone) listed_.insert(row.identity);
    if (row.watch.empty()) continue;
    if (auto state = watch_state_from_json(row.watch)) {
      states_.insert_or_assign(row.identity, std::move(*state));
    } else {
      log_warning(state.error().message());
    }
  }
  loaded_ = true;
}

Analysis::Run Analysis::analyze() {
  Run run;
  const auto begin = Clock::now();
  run.start = control_.now();
  run.run_id = random_hex(8);
  load();
  const auto config = control_.config().current();
  auto analysis = control_.hunt().analyze([this] { return !stopping(); });
  const auto finish = [&] {
    run.end = control_.now();
    run.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    return run;
  };
  if (!analysis) {
    run.errors.emplace_back("stopped");
    return finish();
  }
  apply_policy(*config, *analysis);
  mark_our_traffic(*analysis, control_.probes(), control_.homes(), control_.enrolled(), run.start);
  run.pairs_analyzed = analysis->analyzed;
  run.pairs_skipped = analysis->skipped;
  std::set<std::string> found;
  for (ScoredPair& pair : analysis->pairs) {
    if (!pair.verdict.is_beacon) continue;
    if (pair.hidden == Hidden::no) {
      ++run.beacons_detected;
      control_.hunt().complete(pair);
      run.beacons_new += found_.count(pair.identity()) == 0 ? 1U : 0U;
      found.insert(pair.identity());
    } else if (pair.hidden == Hidden::ours) {
      ++run.beacons_ours;
      control_.hunt().complete(pair);
    } else if (pair.hidden != Hidden::represented) {
      ++run.pairs_suppressed;
    }
  }
  found_ = std::move(found);

  const auto virgin = control_.beacons().empty();
  WatchSettings settings;
  settings.alert_cooldown = config->values.duration("detection.alert_cooldown").value();
  const auto last_check_in = [&](std::string_view identity) -> std::optional<Timestamp> {
    const auto pair = control_.hunt().score_one(identity, nullptr);
    return pair ? std::optional(pair->last_seen) : std::nullopt;
  };
  const BeaconStates before = states_;
  const auto counters = control_.hunt().counters();
  const Timestamp heard_until = std::min(counters.newest, run.start);
  const WatchResult result = watch(*analysis, run.start, heard_until, virgin.value_or(false),
                                   last_check_in, settings, states_);
  const auto failed = tell(result, before, run);
  for (const std::string& identity : failed) {
    const auto known = before.find(identity);
    if (known == before.end()) {
      states_.erase(identity);
    } else {
      states_[identity] = known->second;
    }
  }
  withdraw_triage(result, run);
  // An analysis of nothing is not the first one, nor one whose digest, which has no identity, could
  // not be kept: it comes again.
  const bool told = std::find(failed.begin(), failed.end(), std::string()) == failed.end();
  if (told && (run.pairs_analyzed > 0 || !result.changed.empty() || !result.forgotten.empty())) {
    if (auto saved = save(*analysis, result, run.start); !saved) {
      run.errors.push_back(saved.error().message());
    }
  }
  return finish();
}

std::vector<std::string> Analysis::tell(const WatchResult& result, const BeaconStates& before,
                                        Run& run) {
  std::vector<std::string> failed;
  const auto config = control_.config().current();
  const auto removals =
      result.decisions.empty() ? Result<std::uint64_t>(0) : control_.beacons().removals();
  if (!removals) run.errors.push_back(removals.error().message());
  for (const WatchDecision& decision : result.decisions) {
    const auto known = before.find(decision.identity);
    const Alert alert = beacon_alert(decision, known == before.end() ? nullptr : &known->second,
                                     removals.value_or(0), config->detection, run.start);
    // First to where it is delivered from. Both know it by its id: after a crash in between it
    // comes again and is kept once.
    auto kept = control_.alert_queue().push(alert);
    if (kept) kept = control_.alerts().add(alert);
    if (!kept) {
      run.errors.push_back(kept.error().message());
      failed.push_back(decision.identity);
      for (const ScoredPair* pair : decision.pairs)
        failed.push_back(pair->identity());
      continue;
    }
    ++run.alerts_generated;
    control_.events().publish("alert", to_json(alert));
    if (decision.pair == nullptr) continue;
    std::string json = beacon_json(*decision.pair, config->detection, run.start);
    json.insert(1, "\"change\":\"" + std::string(to_string(decision.kind)) + "\",");
    control_.events().publish("beacon", json);
  }
  return failed;
}

void Analysis::withdraw_triage(const WatchResult& result, Run& run) {
  for (const WatchDecision& decision : result.decisions) {
    if (decision.kind != DecisionKind::reopened) continue;
    const auto gone = control_.triage().withdraw(decision.identity, "beaconry-control",
                                                 "reopened: " + decision.reason, run.start);
    if (!gone) run.errors.push_back(gone.error().message());
  }
}

Result<void> Analysis::save(const LiveAnalysis& analysis, const WatchResult& result,
                            Timestamp now) {
  const auto config = control_.config().current();
  std::vector<Beacons::Beacon> rows;
  std::set<std::string> listed, written;
  const auto write = [&](Beacons::Beacon row) {
    if (!written.insert(row.identity).second) return;
    if (const auto state = states_.find(row.identity); state != states_.end()) {
      row.watch = watch_state_json(state->second);
      row.gone = state->second.gone;
    }
    rows.push_back(std::move(row));
  };
  for (const ScoredPair& pair : analysis.pairs) {
    if (!is_shown_beacon(pair)) continue;
    listed.insert(pair.identity());
    write(row_of(pair, config->detection, now));
  }
  // What was one before, and what else is remembered anew: as it was last shown.
  const auto write_again = [&](const std::string& identity) -> Result<void> {
    if (written.count(identity) != 0) return {};
    auto row = control_.beacons().find(identity);
    if (!row) return tl::unexpected<Error>(std::move(row.error()));
    if (!*row) return {};
    (*row)->analyzed = now;
    const auto state = states_.find(identity);
    (*row)->is_beacon = state != states_.end() && state->second.gone;
    write(std::move(**row));
    return {};
  };
  for (const std::string& identity : listed_) {
    if (auto done = write_again(identity); !done) return done;
  }
  for (const std::string& identity : result.changed) {
    if (auto done = write_again(identity); !done) return done;
  }
  if (auto saved = control_.beacons().save(rows); !saved) return saved;
  listed_ = std::move(listed);
  for (const std::string& identity : result.forgotten) {
    if (auto gone = control_.beacons().remove(identity); !gone) {
      return tl::unexpected<Error>(std::move(gone.error()));
    }
  }
  return {};
}

Result<bool> Analysis::decide(const std::string& identity, Triaged how, Timestamp until) {
  const Caller caller(*this);
  if (!caller) return fail(ErrorKind::limit, "decide", {}, std::string(kBusy));
  const std::lock_guard running(running_);
  load();
  const auto state = states_.find(identity);
  if (state == states_.end()) return false;
  state->second.decide(how, until);
  auto row = control_.beacons().find(identity);
  if (!row) return tl::unexpected<Error>(std::move(row.error()));
  if (!*row) return false;
  (*row)->watch = watch_state_json(state->second);
  if (auto saved = control_.beacons().save({&**row, 1}); !saved) {
    return tl::unexpected<Error>(std::move(saved.error()));
  }
  return true;
}

Result<std::uint64_t> Analysis::remove(const std::string& identity) {
  const Caller caller(*this);
  if (!caller) return fail(ErrorKind::limit, "delete", {}, std::string(kBusy));
  // An analysis that is running would write the rows back.
  const std::lock_guard running(running_);
  if (identity.empty()) {
    auto removed = control_.beacons().remove_all();
    if (!removed) return removed;
    states_.clear();
    listed_.clear();
    found_.clear();
    return removed;
  }
  const auto removed = control_.beacons().remove(identity);
  if (!removed) return tl::unexpected<Error>(removed.error());
  states_.erase(identity);
  listed_.erase(identity);
  found_.erase(identity);
  return std::uint64_t{*removed ? 1U : 0U};
}

}  // namespace beaconry
