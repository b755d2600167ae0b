#include "home/probe_book.h"

#include <algorithm>
#include <unordered_set>

namespace beaconry {
namespace {

constexpr double kMinute = 60;

}  // namespace

ProbeBook::ProbeBook(std::size_t answers_a_second, std::size_t repeats_a_minute)
    : answers_a_second_(answers_a_second), repeats_a_minute_(repeats_a_minute) {}

void ProbeBook::know(const std::vector<KnownProbe>& probes) {
  std::unordered_set<std::uint64_t> known;
  for (const KnownProbe& probe : probes) {
    known.insert(probe.id.value);
    const auto answers = static_cast<double>(answers_a_second_);
    const auto repeats = static_cast<double>(repeats_a_minute_);
    probes_.try_emplace(
        probe.id.value,
        Known{{}, RateBucket(answers, answers), RateBucket(repeats / kMinute, repeats)});
  }
  std::erase_if(probes_, [&](const auto& entry) { return known.count(entry.first) == 0; });
}

ProbeBook::Heard ProbeBook::hear(const Ping& ping, Timestamp received) {
  const auto at = probes_.find(ping.probe.value);
  if (at == probes_.end()) return {};
  Known& known = at->second;
  Heard heard;
  heard.first = window_.add(ping.probe, ping.sequence, ping.leg);
  ++known.record.pings;
  known.record.heard = std::max(known.record.heard, received);
  if (heard.first) {
    learn_skew(known, ping, received);
  } else {
    ++known.record.repeats;
    heard.keep = known.repeats.take(received);
  }
  const Duration skew = known.record.skew_known ? known.record.skew : Duration{0};
  const Duration age = received - ping.sent - skew;
  heard.fresh = age <= kFresh && age >= -kFresh;
  return heard;
}

// A ping with a higher sequence number than all before is no old one replayed, as far as home saw;
// so its delay is the clock's error. Several must agree, because one could have been held back.
void ProbeBook::learn_skew(Known& known, const Ping& ping, Timestamp received) {
  if (ping.sequence <= known.highest) return;
  known.highest = ping.sequence;
  const Duration delay = received - ping.sent;
  const Duration off = delay - known.candidate;
  if (off > kAgreement || off < -kAgreement) {
    known.candidate = delay;
    known.agreeing = 0;
  }
  if (++known.agreeing < kAgreeing) return;
  known.record.skew = known.candidate;
  known.record.skew_known = true;
}

bool ProbeBook::hear_token(ProbeId probe, Timestamp received) {
  const auto at = probes_.find(probe.value);
  if (at == probes_.end()) return true;
  ++at->second.record.tokens;
  at->second.record.heard = std::max(at->second.record.heard, received);
  return at->second.repeats.take(received);
}

bool ProbeBook::may_answer(ProbeId probe, Timestamp now) {
  const auto at = probes_.find(probe.value);
  if (at == probes_.end() || !at->second.answers.take(now)) return false;
  ++at->second.record.answers;
  return true;
}

const ProbeBook::Record* ProbeBook::find(ProbeId probe) const {
  const auto at = probes_.find(probe.value);
  return at == probes_.end() ? nullptr : &at->second.record;
}

}  // namespace beaconry
