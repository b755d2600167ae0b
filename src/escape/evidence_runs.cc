#include "escape/evidence_runs.h"

#include <algorithm>

#include "escape/evidence_tally.h"

namespace beaconry {
namespace {

constexpr std::size_t kMostRuns = 16, kMostHeard = 256;
constexpr std::size_t kMostTargets = 512;
constexpr std::chrono::seconds kLongest{60};

std::string head_of(const char* verb, const Try& made) {
  return std::string(verb) + (made.cycle_kind == CycleKind::short_cycle ? " short " : " long ") +
         std::to_string(made.cycle) + ' ' + std::string(to_string(made.method->id)) + ' ' +
         made.target.destination.to_string();
}

}  // namespace

void EvidenceRuns::add(const char* verb, const Try& made, Timestamp now) {
  std::string head = head_of(verb, made);
  // From the newest: a run that a sequence does not follow on is left for a new one.
  auto run =
      std::find_if(runs_.rbegin(), runs_.rend(), [&](const Run& one) { return one.head == head; });
  const bool goes_on = run != runs_.rend() && made.sequence > run->last_sequence &&
                       run->count < kMostTargets && now >= run->last;
  if (!goes_on) {
    Run fresh;
    fresh.head = std::move(head);
    fresh.first = now;
    fresh.first_sequence = fresh.last_sequence = made.sequence;
    runs_.push_back(std::move(fresh));
    run = runs_.rbegin();
  }
  if (run->count > 0) run->targets += ',';
  run->targets += std::to_string(made.target.port);
  if (made.target.variant != 0) run->targets += '/' + std::to_string(made.target.variant);
  if (run->via != made.target.via) {
    run->via = made.target.via;
    run->targets += '~' + (run->via.is_unspecified() ? "-" : run->via.to_string());
  }
  const std::uint64_t further = made.sequence - run->last_sequence;
  if (run->count > 0 && further != 1) run->targets += '+' + std::to_string(further);
  run->last_sequence = made.sequence;
  run->last = now;
  ++run->count;
}

void EvidenceRuns::add_heard(std::string_view peer, const Ping& ping, Timestamp now) {
  std::string name = peer.empty() ? ping.probe.to_string() : std::string(peer);
  // Past the bound all others are one.
  if (heard_.size() == kMostHeard && heard_.find(name) == heard_.end()) name = "others";
  Heard& from = heard_[name];
  if (from.pings++ == 0) from.first = now;
  from.last = now;
}

std::string EvidenceRuns::text_of(const Run& run) {
  std::string text =
      to_rfc3339(run.first) + ' ' + run.head + " seq=" + std::to_string(run.first_sequence);
  const auto lasted =
      std::chrono::duration_cast<std::chrono::milliseconds>(run.last - run.first).count();
  if (lasted > 0) text += " for=" + std::to_string(lasted);
  return text + " targets=" + run.targets;
}

std::vector<std::string> EvidenceRuns::take_due(Timestamp now) {
  const auto is_due = [&](Timestamp first) { return now - first >= kLongest || now < first; };
  const bool full =
      runs_.size() > kMostRuns || std::any_of(runs_.begin(), runs_.end(), [&](const Run& run) {
        return is_due(run.first) || run.count >= kMostTargets;
      });
  const bool heard_due = std::any_of(heard_.begin(), heard_.end(),
                                     [&](const auto& one) { return is_due(one.second.first); });
  // All or none, so that lines stand in the order in which their tries began.
  return full || heard_due ? take_all() : std::vector<std::string>();
}

std::vector<std::string> EvidenceRuns::take_all() {
  std::vector<std::string> texts;
  for (const Run& run : runs_)
    texts.push_back(text_of(run));
  for (const auto& [name, from] : heard_) {
    texts.push_back(to_rfc3339(from.first) + " heard " + evidence_word(name) +
                    " pings=" + std::to_string(from.pings) + " until=" + to_rfc3339(from.last));
  }
  runs_.clear();
  heard_.clear();
  return texts;
}

}  // namespace beaconry
