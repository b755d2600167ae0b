#include "leak/leak_book.h"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <utility>

#include "leak/path.h"
#include "leak/port_ranges.h"
#include "leak/probe_record.h"
#include "leak/seen_tries.h"

namespace beaconry {
namespace {

using Class = ObservationClass;

constexpr std::size_t kMostGaps = 64;
constexpr std::chrono::minutes kDeaf{1};

void add_variant(std::vector<std::uint8_t>& variants, std::uint8_t variant) {
  const auto at = std::lower_bound(variants.begin(), variants.end(), variant);
  if (at == variants.end() || *at != variant) variants.insert(at, variant);
}

}  // namespace

struct LeakBook::State {
  struct Judged {
    Class what{};
    bool first = false;  // arrival of this try's leg; what was forgotten does not count as one
    ProbeRecord* probe = nullptr;
    SeenTries::Seen* seen = nullptr;  // of tries that have a sequence number
    PathFacts path;
    std::uint64_t number = 0;
  };

  std::unordered_map<std::uint64_t, ProbeRecord> probes;  // by id
  std::map<std::uint64_t, Leak> leaks;                    // by number
  SeenTries tries;
  std::uint64_t refused = 0;
  Hearings hearings;

  ProbeRecord* probe(ProbeId id) {
    const auto at = probes.find(id.value);
    return at == probes.end() ? nullptr : &at->second;
  }

  // For what the server says itself: a home's word alone makes no probe.
  ProbeRecord* make_probe(ProbeId id) {
    if (ProbeRecord* known = probe(id)) return known;
    if (probes.size() >= kMostProbes) return nullptr;
    ProbeRecord& made = probes[id.value];
    made.schedule.probe = id;
    return &made;
  }

  // Nothing is opened or counted here: remember() and add() share it.
  Judged judge(const Observation& o, bool remembering) {
    Judged judged;
    judged.what = Class::unknown_key;
    if (o.authenticity == Authenticity::unknown_key) return judged;
    judged.probe = probe(o.ping.probe);
    if (judged.probe == nullptr) return judged;
    ProbeRecord& p = *judged.probe;
    judged.path = decide_path(o);
    judged.number = leak_number(o, judged.path);
    if (o.carrier == Carrier::injected) {
      // Home's own word under a number and a time of home's: they say nothing of the probe's.
      judged.what = Class::fresh;
      judged.first = true;
      return judged;
    }
    if (o.authenticity == Authenticity::token) {
      judged.what = p.classify_token(o);
      judged.first = judged.what == Class::fresh || judged.what == Class::late;
    } else {
      if (remembering && !tries.knows(o.ping.probe) && o.ping.sequence != 0)
        tries.forget_to(o.ping.probe, o.ping.sequence - 1);
      judged.what = classify(o, judged, remembering);
    }
    if (judged.what == Class::fresh || judged.what == Class::duplicate) learn(o, p);
    return judged;
  }

  void learn(const Observation& o, ProbeRecord& p) {
    p.heard = std::max(p.heard.value_or(o.received), o.received);
    if (o.authenticity == Authenticity::token) return;
    if (!o.ping.via.is_unspecified()) p.add_neighbour(o.ping.via);
    if (!p.is_retired(o)) p.note_cycle(o.ping.cycle_kind, o.ping.cycle, o.received);
  }

  Class classify(const Observation& o, Judged& judged, bool remembering) {
    const Ping& ping = o.ping;
    const bool late = judged.probe->clock.is_late(ping.sequence, ping.sent, o.received, kDuplicate);
    // A ghost is a resolver's or a relay's doing; anything else that comes twice is somebody's.
    const Class again = may_be_kept(o) ? Class::late : Class::replayed;
    judged.seen = tries.find(ping.probe, ping.sequence);
    if (judged.seen == nullptr) {
      if (!remembering && tries.is_forgotten(ping.probe, ping.sequence)) return again;
      judged.seen = &tries.add(ping.probe, ping.sequence);
    }
    Timestamp& first = ping.leg == Leg::confirmed ? judged.seen->confirmed : judged.seen->outbound;
    judged.first = first == kEarliest;
    if (judged.first) {
      first = o.received;
      return late ? Class::late : Class::fresh;
    }
    const Duration apart = o.received - first;
    if (apart > kDuplicate || apart < -kDuplicate) return again;
    first = std::min(first, o.received);
    return Class::duplicate;
  }

  void call_of_retired(const Observation& o, ProbeRecord& p, Outcome& outcome) {
    if (!p.add_network(o.source) || !p.may_tell_of_call(o.received)) return;
    const std::string name = p.schedule.name.empty() ? "of unknown name" : p.schedule.name;
    outcome.probes.push_back(
        {ProbeNews::retired_call, o.ping.probe, o.received, o.source,
         "The retired probe " + name + " called from " + o.source.to_string() +
             ", a network that it was never seen from. Its key is in use somewhere: find the "
             "device, or whoever copied its configuration."});
  }

  void control(const Observation& o, ProbeRecord& p, Outcome& outcome) {
    p.control = std::max(p.control.value_or(o.received), o.received);
    if (!p.silent) return;
    p.silent = false;
    outcome.probes.push_back(
        {ProbeNews::heard_again, o.ping.probe, o.received, o.source,
         "The positive control of the probe " + p.schedule.name + " arrives again."});
  }

  Leak* open(const Observation& o, const Judged& judged, Outcome& outcome) {
    if (judged.probe->leaks >= kMostLeaksOfAProbe && !drop_closed(*judged.probe, outcome)) {
      ++refused;
      return nullptr;
    }
    ++judged.probe->leaks;
    Leak& leak = leaks[judged.number];
    leak.id = leak_id(judged.number);
    leak.probe = o.ping.probe;
    leak.method = o.ping.method;
    leak.ipv6 = judged.path.ipv6;
    leak.path = judged.path.kind;
    leak.via = judged.path.via;
    leak.first = leak.last = leak.opened = o.received;
    leak.seen_in = o.ping.cycle_kind;
    return &leak;
  }

  // Room for a new one: the leak that was closed longest ago goes.
  bool drop_closed(ProbeRecord& p, Outcome& outcome) {
    auto oldest = leaks.end();
    for (auto at = leaks.begin(); at != leaks.end(); ++at) {
      const Leak& leak = at->second;
      if (leak.probe != p.schedule.probe || !leak.closed) continue;
      if (oldest == leaks.end() || *leak.closed < *oldest->second.closed) oldest = at;
    }
    if (oldest == leaks.end()) return false;
    outcome.dropped.push_back(oldest->second.id);
    leaks.erase(oldest);
    --p.leaks;
    return true;
  }

  // A fresh ping, or one that took another way than its twin.
  void count(const Observation& o, const Judged& judged, Outcome& outcome) {
    const auto at = leaks.find(judged.number);
    Leak* leak = at == leaks.end() ? nullptr : &at->second;
    const bool late = judged.what == Class::late;
    bool changed = false;
    if (leak == nullptr) {
      if ((leak = open(o, judged, outcome)) == nullptr) return;
      outcome.changes.push_back({LeakChange::opened, {}});
      changed = true;
    } else if (leak->closed && !late && o.received > leak->last) {
      reopen(*leak, o);
      outcome.changes.push_back({LeakChange::reopened, {}});
      changed = true;
    } else if (!late && widens(*leak, o, *judged.probe)) {
      outcome.changes.push_back({LeakChange::widened, {}});
    }
    using Join = SeenTries::Seen::Join;
    const Join join = judged.seen != nullptr ? judged.seen->join(judged.number, o.ping.leg)
                      : judged.first         ? Join::first
                                             : Join::again;
    if (join == Join::first) {
      ++leak->count;
      if (late) ++leak->late;
    } else if (join == Join::again && judged.what == Class::duplicate) {
      ++leak->duplicates;
    }
    if (!late || changed) update(*leak, o, judged);
    if (o.ping.leg == Leg::confirmed && o.authenticity == Authenticity::authentic &&
        !leak->two_way) {
      leak->two_way = true;
      outcome.changes.push_back({LeakChange::two_way, {}});
    }
    for (Change& change : outcome.changes)
      change.leak = *leak;
    outcome.leak_id = leak->id;
  }

  void reopen(Leak& leak, const Observation& o) {
    leak.open_times.emplace_back(leak.opened, leak.last);
    if (leak.open_times.size() > Leak::kMostOpenTimes)
      leak.open_times.erase(leak.open_times.begin());
    leak.opened = o.received;
    leak.closed.reset();
    ++leak.times_opened;
    leak.two_way = false;  // the answer has to come back anew
    leak.seen_in = o.ping.cycle_kind;
  }

  bool widens(Leak& leak, const Observation& o, const ProbeRecord& p) {
    if (o.received < leak.opened + p.period(CycleKind::short_cycle)) return false;
    const std::uint16_t port = port_of(o);
    const bool new_port = port != 0 && !holds(leak.ports, port);
    const bool new_variant =
        !std::binary_search(leak.variants.begin(), leak.variants.end(), o.ping.variant);
    if (!new_port && !new_variant) return false;
    std::uint32_t& told = leak.widened_in[static_cast<std::size_t>(o.ping.cycle_kind)];
    if (told == o.ping.cycle + 1) return false;  // one alert a cycle is enough
    told = o.ping.cycle + 1;
    return true;
  }

  void update(Leak& leak, const Observation& o, const Judged& judged) {
    leak.first = std::min(leak.first, o.received);
    if (leak.times_opened == 1) leak.opened = leak.first;
    if (o.received >= leak.last) {
      leak.last = o.received;
      leak.outer_source = o.source;
      leak.ttl = o.ttl;
      if (!o.ping.source.is_unspecified()) leak.inside = o.ping.source;
    }
    if (o.ping.cycle_kind == CycleKind::short_cycle) leak.seen_in = CycleKind::short_cycle;
    if (const std::uint16_t port = port_of(o); port != 0)
      add_port(leak.ports, port, Leak::kMostPortRanges);
    add_variant(leak.variants, o.ping.variant);
    // A token names its neighbour by the last byte alone.
    if (o.authenticity == Authenticity::authentic) {
      leak.via = judged.path.via;
    } else if (is_partial(leak.via)) {
      if (const auto known = judged.probe->neighbour(last_byte(leak.via))) leak.via = *known;
    }
  }

  // Whether a probe that tells of itself was still there at this time. Of one that has no control
  // nobody can say.
  static bool was_tested(const ProbeRecord& p, Timestamp time) {
    if (p.schedule.retired || p.silent) return false;
    return !p.schedule.control_every || (p.control && *p.control >= time);
  }

  static bool is_partial(const IpAddress& via) { return via.is_v4() && via.v4_value() < 256; }

  static Duration deaf_since(const Hearing& hearing, Timestamp time) {
    Duration deaf{};
    for (const auto& [from, to] : hearing.gaps)
      if (to > time) deaf += to - std::max(from, time);
    return deaf;
  }
};

LeakBook::LeakBook() : state_(std::make_unique<State>()) {}
LeakBook::~LeakBook() = default;

void LeakBook::set_probes(std::vector<ProbeSchedule> probes) {
  for (const ProbeSchedule& told : probes)
    if (ProbeRecord* p = state_->make_probe(told.probe)) p->take(told);
}

void LeakBook::restore(std::vector<Leak> leaks) {
  for (Leak& leak : leaks) {
    const auto number = std::strtoull(leak.id.c_str(), nullptr, 16);
    ProbeRecord* p = state_->make_probe(leak.probe);
    if (number == 0 || p == nullptr) continue;
    if (!leak.via.is_unspecified() && !State::is_partial(leak.via)) p->add_neighbour(leak.via);
    if (!leak.outer_source.is_unspecified()) p->add_network(leak.outer_source);
    p->heard = std::max(p->heard.value_or(leak.last), leak.last);
    if (state_->leaks.insert_or_assign(number, std::move(leak)).second) ++p->leaks;
  }
}

void LeakBook::remember(const Observation& o) {
  const State::Judged judged = state_->judge(o, true);
  if (judged.probe == nullptr) return;
  ProbeRecord& p = *judged.probe;
  if (judged.what != Class::fresh && judged.what != Class::duplicate) {
    if (judged.first && judged.seen != nullptr) judged.seen->join(judged.number, o.ping.leg);
    return;
  }
  if (o.carrier != Carrier::injected) p.add_network(o.source);
  if (judged.path.kind == PathKind::control)
    p.control = std::max(p.control.value_or(o.received), o.received);
  else if (judged.seen != nullptr && (judged.what == Class::fresh || may_multiply(o)))
    judged.seen->join(judged.number, o.ping.leg);
}

LeakBook::Outcome LeakBook::add(const Observation& o) {
  Outcome outcome;
  const State::Judged judged = state_->judge(o, false);
  outcome.what = judged.what;
  if (judged.probe == nullptr || o.ping.leg == Leg::reply) return outcome;
  if (judged.what == Class::unconfirmed) return outcome;
  ProbeRecord& p = *judged.probe;
  // The leak of the way that it took, or else of the way that its first took.
  const auto joined = [&]() -> Leak* {
    auto at = state_->leaks.find(judged.number);
    if (at == state_->leaks.end() && judged.seen != nullptr)
      at = state_->leaks.find(judged.seen->joined[0].leak);
    return at == state_->leaks.end() ? nullptr : &at->second;
  };
  const bool may_open = judged.first || (judged.what == Class::duplicate && may_multiply(o));
  if (p.is_retired(o)) {
    outcome.what = Class::retired;
    if (o.carrier != Carrier::injected) state_->call_of_retired(o, p, outcome);
  } else if (judged.what == Class::replayed) {
    if (Leak* leak = joined()) ++leak->replayed;
  } else if (judged.path.kind == PathKind::control) {
    if (may_open) state_->control(o, p, outcome);
  } else if (o.ping.method == MethodId::zone) {
    return outcome;
  } else if (may_open) {
    p.add_network(o.source);
    state_->count(o, judged, outcome);
  } else if (Leak* leak = joined()) {
    if (judged.what == Class::duplicate) {
      ++leak->duplicates;
      // From elsewhere it says nothing of the leak: it may be somebody's who repeats it.
      if (!leak->closed && leak->id == leak_id(judged.number)) state_->update(*leak, o, judged);
    }
    if (judged.what == Class::late) ++leak->late, ++leak->count;
    outcome.leak_id = leak->id;
  }
  return outcome;
}

LeakBook::Outcome LeakBook::tick(Timestamp now) {
  Outcome outcome;
  for (auto& [number, leak] : state_->leaks) {
    if (leak.closed) continue;
    const ProbeRecord* p = state_->probe(leak.probe);
    if (p == nullptr) continue;
    const auto heard = state_->hearings.find(p->schedule.home);
    const bool known = heard != state_->hearings.end();
    const Timestamp until = known ? std::min(now, heard->second.listened) : now;
    const Timestamp due = leak.last + 2 * p->period(leak.seen_in) +
                          (known ? State::deaf_since(heard->second, leak.last) : Duration{0});
    if (until <= due || !State::was_tested(*p, due)) continue;
    leak.closed = leak.last;
    outcome.changes.push_back({LeakChange::closed, leak});
  }
  for (auto& [id, p] : state_->probes) {
    const ProbeSchedule& told = p.schedule;
    if (!told.control_every || told.retired || p.silent) continue;
    if (p.control_due == Timestamp{}) p.control_due = now;
    const Timestamp since =
        p.control.value_or(told.added == Timestamp{} ? p.control_due : told.added);
    if (now <= since + 2 * *told.control_every) continue;
    p.silent = true;
    outcome.probes.push_back(
        {ProbeNews::silent,
         told.probe,
         since,
         {},
         "The positive control of the probe " + told.name + " was due every " +
             to_words(*told.control_every) + " and was last seen at " + to_rfc3339(since) +
             ". Until it arrives, no leak of this probe would be seen either: look whether the "
             "probe runs, whether the path of its control is open, and whether home is up."});
  }
  return outcome;
}

void LeakBook::home_listened(const std::string& home, Timestamp at) {
  const auto [found, first] = state_->hearings.try_emplace(home, Hearing{at, {}});
  Hearing& hearing = found->second;
  if (!first && at > hearing.listened + kDeaf) {
    hearing.gaps.emplace_back(hearing.listened, at);
    if (hearing.gaps.size() > kMostGaps) hearing.gaps.erase(hearing.gaps.begin());
  }
  hearing.listened = std::max(hearing.listened, at);
}

const LeakBook::Hearings& LeakBook::hearings() const {
  return state_->hearings;
}

void LeakBook::restore_hearings(Hearings hearings) {
  state_->hearings = std::move(hearings);
}

std::vector<Leak> LeakBook::leaks() const {
  std::vector<Leak> all;
  all.reserve(state_->leaks.size());
  for (const auto& [number, leak] : state_->leaks)
    all.push_back(leak);
  return all;
}

std::optional<Leak> LeakBook::find(const std::string& id) const {
  const auto at = state_->leaks.find(std::strtoull(id.c_str(), nullptr, 16));
  if (at == state_->leaks.end() || at->second.id != id) return std::nullopt;
  return at->second;
}

std::optional<Timestamp> LeakBook::last_control(ProbeId probe) const {
  const auto at = state_->probes.find(probe.value);
  return at == state_->probes.end() ? std::nullopt : at->second.control;
}

std::optional<Timestamp> LeakBook::last_heard(ProbeId probe) const {
  const auto at = state_->probes.find(probe.value);
  return at == state_->probes.end() ? std::nullopt : at->second.heard;
}

std::vector<IpAddress> LeakBook::known_outer(ProbeId probe) const {
  const auto at = state_->probes.find(probe.value);
  if (at == state_->probes.end()) return {};
  return {at->second.networks().begin(), at->second.networks().end()};
}

std::uint64_t LeakBook::leaks_refused() const {
  return state_->refused;
}

}  // namespace beaconry
