#include "ping/key_ring.h"

#include <algorithm>
#include <unordered_map>

#include "base/hash_index.h"

namespace beaconry {
namespace {

struct Entry {
  std::uint32_t probe = 0;
  std::int64_t when = 0;  // day or hour
  std::uint64_t hint = 0;
};

// Hints of a span of days or hours, found at once.
class Hints {
 public:
  void clear() {
    index_ = HashIndex();
    entries_.clear();
  }
  void add(const Entry& entry) {
    index_.insert(static_cast<std::uint32_t>(entry.hint),
                  static_cast<std::uint32_t>(entries_.size()));
    entries_.push_back(entry);
  }
  // The first entry with this hint that `is_it`.
  template <class IsIt>
  bool find(std::uint64_t hint, const IsIt& is_it) const {
    return index_.find(static_cast<std::uint32_t>(hint), [&](std::uint32_t number) {
      return entries_[number].hint == hint && is_it(entries_[number]);
    }) != HashIndex::kNone;
  }

 private:
  HashIndex index_;
  std::vector<Entry> entries_;
};

template <class Unit>
std::int64_t count_of(Timestamp time) {
  return std::chrono::floor<Unit>(time).time_since_epoch().count();
}

}  // namespace

struct KeyRing::State {
  std::vector<KnownProbe> probes;
  std::vector<SharedKey> keys;
  std::unordered_map<std::uint64_t, std::uint32_t> by_id;
  ProbeId ours;

  std::optional<std::int64_t> day, hour;  // of which the tables are
  Hints days, hours;

  double tries = 0;  // that may be made now
  Timestamp tries_counted{};
  std::uint64_t tries_refused = 0;

  void follow_day(std::int64_t now) {
    if (day == now) return;
    day = now;
    days.clear();
    for (std::uint32_t i = 0; i < keys.size(); ++i) {
      for (std::int64_t d = now - kDaysBack; d <= now + kDaysAhead; ++d) {
        // Replies come to probes that listen to other probes.
        days.add({i, d, hint_of(keys[i], d, Leg::outbound)});
        days.add({i, d, hint_of(keys[i], d, Leg::reply)});
      }
    }
  }

  void follow_hour(std::int64_t now) {
    if (hour == now) return;
    hour = now;
    hours.clear();
    for (std::uint32_t i = 0; i < keys.size(); ++i) {
      for (std::int64_t h = now - kHoursBack; h <= now + kHoursAhead; ++h)
        hours.add({i, h, token_hint(keys[i], h)});
    }
  }

  bool may_try_all(Timestamp now) {
    const double most = std::max<double>(kTriesASecond, static_cast<double>(keys.size()));
    if (now > tries_counted) {
      tries = std::min(most, tries + to_seconds(now - tries_counted) * kTriesASecond);
    }
    tries_counted = now;
    if (tries < static_cast<double>(keys.size())) return false;
    tries -= static_cast<double>(keys.size());
    return true;
  }

  std::optional<Opened> open_with(ByteView sealed, std::uint32_t at) const {
    const auto ping = open_sealed(sealed, keys[at]);
    if (!ping) return std::nullopt;
    // Whoever has a key speaks for itself only; an answer bears the name of who asked.
    const bool is_its = ping->probe == probes[at].id;
    if (!is_its && !(ping->leg == Leg::reply && ping->probe == ours)) return std::nullopt;
    return Opened{*ping, &probes[at], &keys[at]};
  }
};

KeyRing::KeyRing(std::unique_ptr<State> state) : state_(std::move(state)) {}
KeyRing::KeyRing(KeyRing&&) noexcept = default;
KeyRing& KeyRing::operator=(KeyRing&&) noexcept = default;
KeyRing::~KeyRing() = default;

Result<KeyRing> KeyRing::make(const PartyKeys& ours, std::vector<KnownProbe> probes) {
  if (probes.size() > kMostProbes) {
    return fail(ErrorKind::limit, "take", "probes",
                std::to_string(probes.size()) + " are more than " + std::to_string(kMostProbes));
  }
  auto state = std::make_unique<State>();
  state->ours = ours.id();
  state->keys.reserve(probes.size());
  for (std::uint32_t i = 0; i < probes.size(); ++i) {
    const KnownProbe& probe = probes[i];
    const std::string subject = "probe " + probe.id.to_string();
    if (probe_id(probe.box_public) != probe.id) {
      return fail(ErrorKind::malformed, "take", subject, "its box key is another probe's");
    }
    if (!state->by_id.emplace(probe.id.value, i).second) {
      return fail(ErrorKind::malformed, "take", subject, "it is there twice");
    }
    auto key = SharedKey::make(ours, probe.box_public);
    if (!key) return fail(key.error().kind, "take", subject, key.error().message());
    state->keys.push_back(*key);
  }
  state->probes = std::move(probes);
  return KeyRing(std::move(state));
}

std::optional<KeyRing::Opened> KeyRing::open(ByteView sealed, Timestamp now) {
  State& s = *state_;
  if (!is_sealed_shape(sealed) || s.keys.empty()) return std::nullopt;
  s.follow_day(count_of<std::chrono::days>(now));
  std::optional<Opened> opened;
  bool is_known = false;
  s.days.find(hint_in(sealed), [&](const Entry& entry) {
    is_known = true;
    opened = s.open_with(sealed, entry.probe);
    return opened.has_value();
  });
  if (is_known) return opened;
  if (!s.may_try_all(now)) {
    ++s.tries_refused;
    return std::nullopt;
  }
  for (std::uint32_t i = 0; i < s.keys.size() && !opened; ++i)
    opened = s.open_with(sealed, i);
  return opened;
}

std::optional<KeyRing::Bounced> KeyRing::find_token(const BounceToken& token, Timestamp now) {
  State& s = *state_;
  s.follow_hour(count_of<std::chrono::hours>(now));
  std::optional<Bounced> found;
  s.hours.find(hint_in(token), [&](const Entry& entry) {
    const auto content = read_token(token, s.keys[entry.probe], entry.when);
    if (!content) return false;
    found = Bounced{&s.probes[entry.probe], content->form, content->neighbour,
                    Timestamp{std::chrono::hours{entry.when}}};
    return true;
  });
  return found;
}

const std::vector<KnownProbe>& KeyRing::probes() const {
  return state_->probes;
}

const SharedKey* KeyRing::key_of(ProbeId probe) const {
  const auto at = state_->by_id.find(probe.value);
  return at == state_->by_id.end() ? nullptr : &state_->keys[at->second];
}

std::uint64_t KeyRing::tries_refused() const {
  return state_->tries_refused;
}

}  // namespace beaconry
