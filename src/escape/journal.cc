#include "escape/journal.h"

#include <algorithm>

#include "base/text.h"

namespace beaconry {
namespace {

std::string place_of(const IpAddress& address, std::uint16_t port) {
  const std::string host = address.is_v4() ? address.to_string() : "[" + address.to_string() + "]";
  return host + ":" + std::to_string(port);
}

std::string words_of(const char* verb, const Try& made) {
  const Target& target = made.target;
  std::string words = verb;
  words += " " + std::string(to_string(made.method->id)) + " " +
           place_of(target.destination, target.port) + " seq=" + std::to_string(made.sequence);
  if (target.via != IpAddress()) words += " via=" + target.via.to_string();
  if (target.variant != 0) words += " variant=" + std::to_string(target.variant);
  return words;
}

std::string cycle_words(CycleKind kind, std::uint32_t cycle, const char* what) {
  return std::string("cycle ") + (kind == CycleKind::short_cycle ? "short " : "long ") +
         std::to_string(cycle) + " " + what;
}

}  // namespace

void Journal::line(const std::string& words, Timestamp now) {
  std::string time = to_rfc3339(now);  // …:00.125Z
  if (time.size() > 20) time.erase(19, time.size() - 20);
  say_(time + " " + terminal_safe(words));
}

void Journal::keep(const Result<void>& written, Timestamp now) {
  if (!written && !failing_) {
    line("evidence is not kept: " + written.error().message(), now);
  }
  failing_ = !written;
}

Probe::MethodResult& Journal::result_of(MethodId method) {
  for (Probe::MethodResult& result : results_)
    if (result.method == method) return result;
  results_.push_back({method, 0, 0, {}});
  return results_.back();
}

std::vector<Probe::MethodResult> Journal::results() const {
  std::vector<Probe::MethodResult> sorted = results_;
  std::sort(sorted.begin(), sorted.end(),
            [](const auto& a, const auto& b) { return a.method < b.method; });
  return sorted;
}

void Journal::tried(const Try& made, Timestamp now) {
  ++result_of(made.method->id).tried;
  line(words_of("try", made), now);
  keep(evidence_.tried(made, now), now);
}

void Journal::answered(const Try& made, Timestamp now) {
  ++result_of(made.method->id).answered;
  line(words_of("reply", made), now);
  keep(evidence_.answered(made, now), now);
}

void Journal::skipped(MethodId method, CycleKind kind, std::uint32_t cycle, const std::string& why,
                      Timestamp now) {
  if (told_.size() >= kMostReasons) told_.clear();
  if (!told_.emplace(method, kind, cycle, why).second) return;
  result_of(method).why_not = why;
  line("skip " + std::string(to_string(method)) + " " + why, now);
  keep(evidence_.skipped(method, kind, cycle, why, now), now);
}

void Journal::heard(const std::string& peer, const Ping& ping, const IpAddress& from,
                    Timestamp now) {
  line("heard " + peer + " " + std::string(to_string(ping.method)) + " from " + from.to_string() +
           " seq=" + std::to_string(ping.sequence),
       now);
  keep(evidence_.heard(peer, ping, now), now);
}

void Journal::began(CycleKind kind, std::uint32_t cycle, Timestamp now) {
  std::erase_if(told_, [&](const auto& reason) {
    return std::get<CycleKind>(reason) == kind && std::get<2>(reason) != cycle;
  });
  line(cycle_words(kind, cycle, "begins"), now);
  keep(evidence_.began(kind, cycle, now), now);
}

void Journal::completed(CycleKind kind, std::uint32_t cycle, Timestamp now) {
  line(cycle_words(kind, cycle, "ends"), now);
  keep(evidence_.completed(kind, cycle, now), now);
  sealed_ = now;
  keep(evidence_.seal(now), now);
}

void Journal::ended(Timestamp now) {
  keep(evidence_.end(now), now);
}

void Journal::seal_hourly(Timestamp now) {
  if (sealed_ == Timestamp{}) sealed_ = now;
  if (now < sealed_ + std::chrono::hours{1}) return;
  sealed_ = now;
  keep(evidence_.seal(now), now);
}

}  // namespace beaconry
