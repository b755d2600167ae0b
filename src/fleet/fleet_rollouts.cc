#include "fleet/fleet_rollouts.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/text.h"
#include "fleet/document_text.h"
#include "fleet/rollout_rows.h"

namespace beaconry {
namespace {

using Json = nlohmann::json;
using Phase = Rollout::Phase;
using Stage = Rollout::Stage;

// Rollouts of one layer, done one after the other, that somebody still lacks.
constexpr std::size_t kLongestChain = 20;

tl::unexpected<Error> refuse(const char* what, const std::string& target, std::string cause) {
  return fail(ErrorKind::conflict, what, "rollout of " + terminal_safe(target), std::move(cause));
}

FleetRollouts::Summary summary_of(const RolloutRow& row) {
  FleetRollouts::Summary out;
  out.id = row.id;
  out.target = row.target;
  out.who = row.who;
  out.started = row.started;
  out.since = row.rollout.since();
  out.phase = row.rollout.phase();
  out.words = row.rollout.words();
  out.total = row.rollout.turns().size();
  for (const auto& [sensor, turn] : row.rollout.turns())
    ++out.counts[static_cast<std::size_t>(turn.stage)];
  out.widened = row.rollout.widened();
  return out;
}

// Whether anybody lacks the document still, or has it on trial.
bool has_latecomers(const Rollout& rollout) {
  return std::any_of(rollout.turns().begin(), rollout.turns().end(), [&](const auto& each) {
    const Stage stage = each.second.stage;
    return stage != Stage::done && stage != Stage::gone &&
           (stage != Stage::failed || rollout.plan().auto_revert);
  });
}

std::shared_ptr<const std::string> text(std::string document) {
  return std::make_shared<const std::string>(std::move(document));
}

Result<std::string> with_approvals(const std::string& document,
                                   const std::map<std::string, std::string>& digests) {
  auto json = parse_object(document, "document");
  if (!json) return tl::unexpected<Error>(std::move(json.error()));
  for (const auto& [name, digest] : digests) {
    const auto instances = json->find("instances");
    if (instances == json->end() || !instances->is_object()) break;
    if (const auto found = instances->find(name); found != instances->end() && found->is_object())
      (*found)["approved"] = digest;
  }
  return text_of(*json);
}

}  // namespace

struct FleetRollouts::Live {
  RolloutRow row;
  bool dirty = false;

  bool is_under_way() const {
    // Done, and the document could not be put yet.
    return !row.rollout.has_ended() || (row.rollout.phase() == Phase::done && row.version == 0);
  }
  bool holds(std::string_view sensor) const {
    // Who came when the document held already, also where a latecomer made it stop once more.
    if (row.version != 0 && row.rollout.turns().find(sensor) == row.rollout.turns().end())
      return true;
    return row.rollout.holds(sensor);
  }
  std::set<std::string> held() const {
    std::set<std::string> all;
    for (const auto& [sensor, turn] : row.rollout.turns()) {
      if (row.rollout.holds(sensor)) all.insert(sensor);
    }
    return all;
  }
};

FleetRollouts::FleetRollouts(Database& database, FleetDocuments& documents)
    : database_(database), documents_(documents) {}

FleetRollouts::~FleetRollouts() = default;

Result<std::unique_ptr<FleetRollouts>> FleetRollouts::open(Database& database,
                                                           FleetDocuments& documents) {
  if (auto done = make_rollout_table(database); !done)
    return tl::unexpected<Error>(std::move(done.error()));
  std::unique_ptr<FleetRollouts> out(new FleetRollouts(database, documents));
  if (auto done = out->load(); !done) return tl::unexpected<Error>(std::move(done.error()));
  return out;
}

Result<void> FleetRollouts::load() {
  auto rows = read_rollouts(database_);
  if (!rows) return tl::unexpected<Error>(std::move(rows.error()));
  for (RolloutRow& row : *rows) {
    summaries_[row.id] = summary_of(row);
    const Phase phase = row.rollout.phase();
    // Taken back, and the document is the one before, or was never another.
    if ((phase == Phase::reverted || phase == Phase::aborted) && row.version == 0) continue;
    Chain& chain = chains_[row.target];
    if (!chain.empty() && chain.back()->row.version != row.base) chain.clear();
    auto live = std::make_unique<Live>();
    live->row = std::move(row);
    chain.push_back(std::move(live));
  }
  let_go();
  return {};
}

bool FleetRollouts::has_say(const Live& newest) const {
  if (newest.is_under_way()) return true;
  if (newest.row.version == 0) return false;
  return documents_.newest(newest.row.target) == newest.row.version;
}

void FleetRollouts::let_go() {
  for (auto at = chains_.begin(); at != chains_.end();) {
    Chain& chain = at->second;
    while (!chain.empty()) {
      const RolloutRow& row = chain.back()->row;
      const bool taken_back = row.rollout.has_ended() && row.rollout.phase() != Phase::done;
      if (!taken_back || row.version != 0) break;
      chain.pop_back();
    }
    // What nobody lacks hides all that came before it.
    const bool over = chain.empty() || !has_say(*chain.back()) ||
                      (!chain.back()->is_under_way() && !has_latecomers(chain.back()->row.rollout));
    at = over ? chains_.erase(at) : std::next(at);
  }
}

Result<std::uint64_t> FleetRollouts::start(const Start& start, Timestamp now) {
  const std::lock_guard lock(mutex_);
  let_go();
  if (auto right = parse_object(start.after, start.target); !right)
    return tl::unexpected<Error>(std::move(right.error()));
  const auto found = chains_.find(start.target);
  if (found != chains_.end() && found->second.back()->is_under_way())
    return refuse("start", start.target,
                  "rollout " + std::to_string(found->second.back()->row.id) +
                      " of it is under way; abort it, or wait for its end");
  const auto under_way = std::count_if(chains_.begin(), chains_.end(), [](const auto& each) {
    return each.second.back()->is_under_way();
  });
  if (static_cast<std::size_t>(under_way) >= kMostUnderWay)
    return fail(ErrorKind::limit, "start", "rollout", "100 are under way");
  const auto current = documents_.current(start.target);
  if (!current) return tl::unexpected<Error>(current.error());
  if (*current && (*current)->json == start.after)
    return refuse("start", start.target, "the document is the one that holds: nothing to roll out");
  auto rollout = Rollout::make(start.plan, now);
  if (!rollout) return tl::unexpected<Error>(std::move(rollout.error()));
  auto live = std::make_unique<Live>();
  live->row = {0,
               start.target,
               start.who,
               now,
               *current ? (*current)->number : 0,
               text(*current ? (*current)->json : std::string()),
               text(start.after),
               0,
               std::move(*rollout)};
  auto id = insert_rollout(database_, live->row);
  if (!id) return id;
  live->row.id = *id;
  summaries_[*id] = summary_of(live->row);
  Chain& chain = chains_[start.target];
  chain.push_back(std::move(live));
  if (chain.size() > kLongestChain) chain.pop_front();
  prune();
  return id;
}

void FleetRollouts::prune() {
  for (auto at = summaries_.begin(); at != summaries_.end() && summaries_.size() > kMostKept;) {
    const auto chain = chains_.find(at->second.target);
    const bool lives = chain != chains_.end() &&
                       std::any_of(chain->second.begin(), chain->second.end(),
                                   [&](const auto& each) { return each->row.id == at->first; });
    if (lives || !remove_rollout(database_, at->first)) {
      ++at;
    } else {
      at = summaries_.erase(at);
    }
  }
}

Result<FleetRollouts::Live*> FleetRollouts::live(std::uint64_t id, const char* what) {
  const auto known = summaries_.find(id);
  if (known == summaries_.end())
    return fail(ErrorKind::not_found, what, "rollout " + std::to_string(id), "there is none");
  const auto chain = chains_.find(known->second.target);
  if (chain != chains_.end() && chain->second.back()->row.id == id)
    return chain->second.back().get();
  return refuse(what, known->second.target,
                "it is " + std::string(to_string(known->second.phase)) +
                    ", and the layer has another document by now");
}

// Makes the layer's document what the rollout's end says. Again and again, until it is on disk.
Result<void> FleetRollouts::settle(Live& live, Timestamp now) {
  RolloutRow& row = live.row;
  const Phase phase = row.rollout.phase();
  const bool done = phase == Phase::done && row.version == 0;
  // One that was done, and stopped for a latecomer.
  const bool back = (phase == Phase::reverted || phase == Phase::aborted) && row.version != 0;
  if (!done && !back) return {};
  const auto put = documents_.put(row.target,
                                  done                  ? *row.after
                                  : row.before->empty() ? "{}"
                                                        : *row.before,
                                  row.who, "rollout", now);
  if (!put) return tl::unexpected<Error>(put.error());
  row.version = done ? put->number : 0;
  live.dirty = true;
  changed_.targets.insert(row.target);
  return {};
}

// On disk before it, after it, and after what follows from it: whatever of it a power cut leaves
// out is made up for by the next step.
Result<void> FleetRollouts::write(Timestamp now) {
  for (auto& [target, chain] : chains_) {
    Live& live = *chain.back();
    for (int round = 0; round < 2; ++round) {
      if (live.dirty) {
        if (auto done = update_rollout(database_, live.row); !done) return done;
        live.dirty = false;
        summaries_[live.row.id] = summary_of(live.row);
      }
      if (auto done = settle(live, now); !done) return done;
    }
  }
  return {};
}

Result<FleetRollouts::Changed> FleetRollouts::finish(Timestamp now) {
  if (auto done = write(now); !done) {
    held_up_ = true;
    return tl::unexpected<Error>(std::move(done.error()));
  }
  let_go();
  return std::exchange(changed_, Changed{});
}

template <class Change>
Result<FleetRollouts::Changed> FleetRollouts::change(std::uint64_t id, const char* what,
                                                     const Change& change, Timestamp now) {
  const std::lock_guard lock(mutex_);
  const auto found = live(id, what);
  if (!found) return tl::unexpected<Error>(found.error());
  Live& live = **found;
  const std::set<std::string> before = live.held();
  if (auto done = change(live); !done) return tl::unexpected<Error>(std::move(done.error()));
  const std::set<std::string> after = live.held();
  std::set_symmetric_difference(before.begin(), before.end(), after.begin(), after.end(),
                                std::inserter(changed_.sensors, changed_.sensors.end()));
  live.dirty = true;
  changed_.rollouts.insert(id);
  return finish(now);
}

Result<FleetRollouts::Changed> FleetRollouts::pause(std::uint64_t id, const std::string& who,
                                                    Timestamp now) {
  return change(
      id, "pause", [&](Live& live) { return live.row.rollout.pause("paused by " + who, now); },
      now);
}

Result<FleetRollouts::Changed> FleetRollouts::resume(std::uint64_t id, Timestamp now) {
  return change(
      id, "resume", [&](Live& live) { return live.row.rollout.resume(now); }, now);
}

Result<FleetRollouts::Changed> FleetRollouts::abort(std::uint64_t id, const std::string& who,
                                                    Timestamp now) {
  return change(
      id, "abort", [&](Live& live) { return live.row.rollout.abort("aborted by " + who, now); },
      now);
}

Result<FleetRollouts::Changed> FleetRollouts::approve(
    std::uint64_t id, const std::map<std::string, std::string>& digests, Timestamp now) {
  return change(
      id, "approve",
      [&](Live& live) -> Result<void> {
        RolloutRow& row = live.row;
        auto after = with_approvals(*row.after, digests);
        if (!after) return tl::unexpected<Error>(std::move(after.error()));
        Rollout approved = row.rollout;
        if (auto done = approved.approve(now); !done) return done;
        const bool differs = *after != *row.after;
        if (differs && row.version != 0) {
          // A latecomer asked for it: the others have the layer's document already.
          const auto put = documents_.put(row.target, *after, row.who, "rollout", now);
          if (!put) return tl::unexpected<Error>(put.error());
          row.version = put->number;
          changed_.targets.insert(row.target);
        }
        row.rollout = std::move(approved);
        if (!differs) return {};
        row.after = text(std::move(*after));
        changed_.sensors.merge(live.held());
        return {};
      },
      now);
}

Result<FleetRollouts::Changed> FleetRollouts::step(const RolloutLook& look, Timestamp now) {
  const std::lock_guard lock(mutex_);
  // What nobody could hear of yet cannot be judged.
  if (is_unwritten()) return finish(now);
  let_go();
  const bool late = std::exchange(held_up_, false);
  for (auto& [target, chain] : chains_) {
    Live& live = *chain.back();
    if (late) {
      live.row.rollout.give_time(now);
      live.dirty = true;
    }
    const std::set<std::string> before = live.held();
    if (!live.row.rollout.step(look, now)) continue;
    const std::set<std::string> after = live.held();
    std::set_symmetric_difference(before.begin(), before.end(), after.begin(), after.end(),
                                  std::inserter(changed_.sensors, changed_.sensors.end()));
    live.dirty = true;
    changed_.rollouts.insert(live.row.id);
  }
  return finish(now);
}

bool FleetRollouts::is_unwritten() const {
  return !changed_.is_empty() || std::any_of(chains_.begin(), chains_.end(), [](const auto& each) {
    return each.second.back()->dirty;
  });
}

void FleetRollouts::hold_up() {
  const std::lock_guard lock(mutex_);
  held_up_ = true;
}

Result<void> FleetRollouts::forget(const std::string& target, const std::string& why,
                                   Timestamp now) {
  const std::lock_guard lock(mutex_);
  const auto found = chains_.find(target);
  if (found == chains_.end()) return {};
  RolloutRow& row = found->second.back()->row;
  if (found->second.back()->is_under_way()) {
    RolloutRow ended = row;
    ended.version = 0;
    ended.rollout.give_up(why, now);
    if (auto done = update_rollout(database_, ended); !done) return done;
    summaries_[row.id] = summary_of(ended);
    changed_.rollouts.insert(row.id);
  }
  chains_.erase(found);
  return {};
}

bool FleetRollouts::is_busy() const {
  const std::lock_guard lock(mutex_);
  return !chains_.empty() || !changed_.is_empty();
}

std::set<std::string> FleetRollouts::in_turn() const {
  const std::lock_guard lock(mutex_);
  std::set<std::string> all;
  for (const auto& [target, chain] : chains_) {
    for (const auto& [sensor, turn] : chain.back()->row.rollout.turns()) {
      if (turn.stage == Stage::changing || turn.stage == Stage::returning) all.insert(sensor);
    }
  }
  return all;
}

std::shared_ptr<const std::string> FleetRollouts::layer_for(const std::string& target,
                                                            std::string_view sensor) const {
  const std::lock_guard lock(mutex_);
  const auto found = chains_.find(target);
  if (found == chains_.end() || !has_say(*found->second.back())) return nullptr;
  const Chain& chain = found->second;
  for (auto at = chain.rbegin(); at != chain.rend(); ++at) {
    if ((*at)->holds(sensor)) return (*at)->row.after;
  }
  return chain.front()->row.before;
}

std::optional<std::uint64_t> FleetRollouts::under_way(const std::string& target) const {
  const std::lock_guard lock(mutex_);
  const auto found = chains_.find(target);
  if (found == chains_.end() || !found->second.back()->is_under_way()) return std::nullopt;
  return found->second.back()->row.id;
}

std::vector<FleetRollouts::Summary> FleetRollouts::list() const {
  const std::lock_guard lock(mutex_);
  std::vector<Summary> all;
  for (auto at = summaries_.rbegin(); at != summaries_.rend(); ++at)
    all.push_back(at->second);
  return all;
}

std::optional<FleetRollouts::Summary> FleetRollouts::summary(std::uint64_t id) const {
  const std::lock_guard lock(mutex_);
  const auto found = summaries_.find(id);
  return found == summaries_.end() ? std::nullopt : std::optional(found->second);
}

Result<FleetRollouts::Detail> FleetRollouts::show(std::uint64_t id) const {
  const std::lock_guard lock(mutex_);
  const auto row = read_rollout(database_, id);
  if (!row) return tl::unexpected<Error>(row.error());
  if (!*row)
    return fail(ErrorKind::not_found, "show", "rollout " + std::to_string(id), "there is none");
  return Detail{summary_of(**row), *(*row)->before, *(*row)->after, (*row)->rollout};
}

std::vector<std::uint64_t> FleetRollouts::with_sensor(std::string_view sensor) const {
  const std::lock_guard lock(mutex_);
  std::vector<std::uint64_t> all;
  for (const auto& [target, chain] : chains_) {
    const Live& live = *chain.back();
    const auto turn = live.row.rollout.turns().find(sensor);
    if (turn == live.row.rollout.turns().end() || turn->second.stage == Stage::gone) continue;
    if (live.is_under_way() || turn->second.stage != Stage::done) all.push_back(live.row.id);
  }
  return all;
}

}  // namespace beaconry
