#include "control/probes.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "control/probe_rows.h"
#include "store/columns.h"
#include "store/transaction.h"

namespace beaconry {
namespace {

constexpr std::size_t kLongestName = 64;
// An address that was heard again within this is not written again.
constexpr Duration kHeardAgain = std::chrono::hours{1};

tl::unexpected<Error> refuse(const std::string& name, std::string cause,
                             ErrorKind kind = ErrorKind::usage) {
  return fail(kind, "probe", '\'' + terminal_safe(name.substr(0, kLongestName)) + '\'',
              std::move(cause));
}

// Names stand in lines, tables and file names.
bool is_good_name(const std::string& name) {
  return !name.empty() && name.size() <= kLongestName && terminal_safe(name) == name &&
         name.find_first_of("/\\\"' \t") == std::string::npos;
}

IpAddress network_of(const IpAddress& address) {
  constexpr unsigned kMapped = 96;
  return address.masked(address.is_v4() ? kMapped + 24 : 48);
}

}  // namespace

std::string_view to_string(ControlKind kind) {
  switch (kind) {
    case ControlKind::path:
      return "path";
    case ControlKind::home:
      return "home";
    case ControlKind::none:
      break;
  }
  return "none";
}

std::optional<ControlKind> parse_control_kind(std::string_view word) {
  for (const auto kind : {ControlKind::none, ControlKind::path, ControlKind::home}) {
    if (to_string(kind) == word) return kind;
  }
  return std::nullopt;
}

std::optional<Timestamp> KeptProbe::retired() const {
  std::optional<Timestamp> first;
  for (const auto& each : {revoked, retires, end}) {
    if (each && (!first || *each < *first)) first = each;
  }
  return first;
}

Result<std::unique_ptr<Probes>> Probes::open(Database& database) {
  if (auto done = database.migrate("probes", kProbeMigrations); !done) {
    return tl::unexpected<Error>(std::move(done.error()));
  }
  std::unique_ptr<Probes> probes(new Probes(database));
  if (auto done = probes->load(); !done) return tl::unexpected<Error>(std::move(done.error()));
  return probes;
}

Result<void> Probes::load() {
  return database_.transact([&](SQLite::Database& tables) -> Result<void> {
    std::string problem;
    for (KeptProbe& probe : read_probes(tables, problem))
      probes_[probe.id] = std::move(probe);
    if (!problem.empty()) log_warning(problem);
    SQLite::Statement row(tables,
                          "SELECT probe, address, kind, last FROM probe_place ORDER BY last");
    while (row.executeStep()) {
      const auto id = ProbeId::parse(row.getColumn(0).getString());
      const auto address = IpAddress::parse(row.getColumn(1).getString());
      if (!id || !address) continue;
      const auto kind = static_cast<PlaceKind>(row.getColumn(2).getInt());
      note(*id, {*address, kind, time_in(row.getColumn(3))});
    }
    return {};
  });
}

Result<void> Probes::add(const KeptProbe& probe) {
  if (!is_good_name(probe.name)) {
    return refuse(probe.name,
                  "give it a name of 1 to 64 printable characters without blanks, quotes and "
                  "slashes");
  }
  const std::lock_guard lock(mutex_);
  if (probes_.size() >= kMostProbes) return refuse(probe.name, "there are 4096 keys already");
  for (const auto& [id, known] : probes_) {
    if (known.name == probe.name) {
      return refuse(probe.name,
                    known.revoked ? "one of this name was revoked; its history goes by the name: "
                                    "choose another"
                                  : "there is one of this name; 'beaconry probes rotate' gives it "
                                    "a new key");
    }
  }
  auto done = database_.transact([&](SQLite::Database& tables) -> Result<void> {
    write_probe(tables, probe);
    return {};
  });
  if (!done) return done;
  probes_[probe.id] = probe;
  ++generation_;
  return {};
}

Result<void> Probes::rotate(const KeptProbe& fresh, Timestamp until) {
  const std::lock_guard lock(mutex_);
  const auto old = std::find_if(probes_.begin(), probes_.end(), [&](const auto& each) {
    return each.second.name == fresh.name && !each.second.successor;
  });
  if (old == probes_.end()) {
    return refuse(fresh.name, "there is none of this name", ErrorKind::not_found);
  }
  if (old->second.revoked) return refuse(fresh.name, "it was revoked; add another");
  if (probes_.size() >= kMostProbes) return refuse(fresh.name, "there are 4096 keys already");
  KeptProbe retiring = old->second;
  retiring.retires = until;
  retiring.successor = fresh.id;
  auto done = database_.transact([&](SQLite::Database& tables) -> Result<void> {
    write_probe(tables, retiring);
    write_probe(tables, fresh);
    return {};
  });
  if (!done) return done;
  old->second = std::move(retiring);
  probes_[fresh.id] = fresh;
  ++generation_;
  return {};
}

Result<std::uint64_t> Probes::revoke(const std::string& name_or_id, const std::string& who,
                                     Timestamp now) {
  const std::lock_guard lock(mutex_);
  std::string name = name_or_id;
  if (const auto id = ProbeId::parse(name_or_id)) {
    if (const auto found = probes_.find(*id); found != probes_.end()) name = found->second.name;
  }
  std::vector<KeptProbe> revoked;
  bool known = false;
  for (const auto& [id, probe] : probes_) {
    if (probe.name != name) continue;
    known = true;
    if (probe.revoked) continue;
    revoked.push_back(probe);
    revoked.back().revoked = now;
    revoked.back().revoked_by = who;
  }
  if (!known) {
    return refuse(name_or_id, "there is none of this name or id", ErrorKind::not_found);
  }
  auto done = database_.transact([&](SQLite::Database& tables) -> Result<void> {
    for (const KeptProbe& probe : revoked)
      write_probe(tables, probe);
    return {};
  });
  if (!done) return tl::unexpected<Error>(std::move(done.error()));
  for (KeptProbe& probe : revoked)
    probes_[probe.id] = std::move(probe);
  if (!revoked.empty()) ++generation_;
  return std::uint64_t{revoked.size()};
}

std::vector<KeptProbe> Probes::list() const {
  const std::lock_guard lock(mutex_);
  std::vector<KeptProbe> all;
  for (const auto& [id, probe] : probes_)
    all.push_back(probe);
  std::stable_sort(all.begin(), all.end(), [](const KeptProbe& a, const KeptProbe& b) {
    return a.name != b.name ? a.name < b.name : a.created > b.created;
  });
  return all;
}

std::optional<KeptProbe> Probes::find(ProbeId id) const {
  const std::lock_guard lock(mutex_);
  const auto found = probes_.find(id);
  return found == probes_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<KeptProbe> Probes::newest(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [id, probe] : probes_) {
    if (probe.name == name && !probe.successor) return probe;
  }
  return std::nullopt;
}

std::string Probes::name_of(ProbeId id) const {
  const std::lock_guard lock(mutex_);
  const auto found = probes_.find(id);
  return found == probes_.end() ? id.to_string() : found->second.name;
}

// REQUIRES: mutex_ is held, or nobody else knows of this yet.
void Probes::note(ProbeId id, const Place& place) {
  auto& places = places_[id];
  const auto same = std::find_if(places.begin(), places.end(), [&](const Place& each) {
    return each.address == place.address && each.kind == place.kind;
  });
  if (same != places.end()) {
    same->last = std::max(same->last, place.last);
    return;
  }
  if (places.size() >= kMostPlaces) {
    places.erase(std::min_element(places.begin(), places.end(),
                                  [](const Place& a, const Place& b) { return a.last < b.last; }));
  }
  places.push_back(place);
}

Result<bool> Probes::heard(ProbeId id, const Whereabouts& where, Timestamp time) {
  const std::lock_guard lock(mutex_);
  if (probes_.find(id) == probes_.end()) return false;
  std::vector<Place> fresh;
  bool is_new = false;
  for (const Place& place :
       {Place{where.own, PlaceKind::own, time}, Place{where.resolver, PlaceKind::resolver, time},
        Place{network_of(where.outer), PlaceKind::outer, time}}) {
    if (place.address.is_unspecified()) continue;
    const auto& places = places_[id];
    const auto same = std::find_if(places.begin(), places.end(), [&](const Place& each) {
      return each.address == place.address && each.kind == place.kind;
    });
    if (same != places.end() && time - same->last < kHeardAgain) continue;
    is_new = is_new || same == places.end();
    fresh.push_back(place);
  }
  if (fresh.empty()) return false;
  auto done = database_.transact([&](SQLite::Database& tables) -> Result<void> {
    for (const Place& place : fresh) {
      SQLite::Statement write(tables, "INSERT OR REPLACE INTO probe_place VALUES (?, ?, ?, ?)");
      write.bind(1, id.to_string());
      write.bind(2, place.address.to_string());
      write.bind(3, static_cast<int>(place.kind));
      write.bind(4, to_column(place.last));
      write.exec();
    }
    SQLite::Statement prune(
        tables,
        "DELETE FROM probe_place WHERE probe = ?1 AND last < (SELECT last FROM probe_place WHERE "
        "probe = ?1 ORDER BY last DESC LIMIT 1 OFFSET ?2)");
    prune.bind(1, id.to_string());
    prune.bind(2, to_column(std::uint64_t{kMostPlaces} - 1));
    prune.exec();
    return {};
  });
  if (!done) return tl::unexpected<Error>(std::move(done.error()));
  for (const Place& place : fresh)
    note(id, place);
  return is_new;
}

std::vector<IpAddress> Probes::addresses_of(ProbeId id) const {
  const std::lock_guard lock(mutex_);
  std::vector<IpAddress> addresses;
  if (const auto found = places_.find(id); found != places_.end()) {
    for (const Place& place : found->second) {
      if (place.kind == PlaceKind::own) addresses.push_back(place.address);
    }
  }
  return addresses;
}

std::optional<KeptProbe> Probes::with_address(const IpAddress& address, Timestamp now) const {
  return with_place(address, PlaceKind::own, now);
}

std::optional<KeptProbe> Probes::with_resolver(const IpAddress& address, Timestamp now) const {
  return with_place(address, PlaceKind::resolver, now);
}

std::optional<KeptProbe> Probes::with_place(const IpAddress& address, PlaceKind kind,
                                            Timestamp now) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [id, places] : places_) {
    const auto probe = probes_.find(id);
    if (probe == probes_.end() || probe->second.is_retired(now)) continue;
    for (const Place& place : places) {
      if (place.kind == kind && place.address == address) return probe->second;
    }
  }
  return std::nullopt;
}

std::vector<ProbeSchedule> Probes::schedules(Timestamp now, Timestamp& next_end) const {
  const std::lock_guard lock(mutex_);
  next_end = Timestamp::max();
  std::vector<ProbeSchedule> all;
  for (const auto& [id, probe] : probes_) {
    ProbeSchedule schedule;
    schedule.probe = id;
    schedule.name = probe.name;
    schedule.home = probe.home;
    schedule.short_period = probe.short_period;
    // Whoever has the new line does not send by the old key any more.
    const bool is_due = probe.control != ControlKind::none && !probe.successor;
    if (is_due) schedule.control_every = probe.control_every;
    schedule.added = probe.created;
    const auto retired = probe.retired();
    if (retired && *retired <= now) schedule.retired = retired;
    if (retired && *retired > now) next_end = std::min(next_end, *retired);
    if (const auto found = places_.find(id); found != places_.end()) {
      for (const Place& place : found->second) {
        if (place.kind == PlaceKind::outer) schedule.known_outer.push_back(place.address);
      }
    }
    all.push_back(std::move(schedule));
  }
  return all;
}

std::uint64_t Probes::generation() const {
  const std::lock_guard lock(mutex_);
  return generation_;
}

}  // namespace beaconry
