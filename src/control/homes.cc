#include "control/homes.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/text.h"
#include "flow/server_name.h"
#include "http/certificates.h"
#include "store/columns.h"
#include "store/transaction.h"

namespace beaconry {
namespace {

using Json = nlohmann::json;

constexpr const char* kMigrations[] = {
    "CREATE TABLE home (edge TEXT PRIMARY KEY, name TEXT NOT NULL, box_public TEXT NOT NULL, zone "
    "TEXT NOT NULL, addresses TEXT NOT NULL, version TEXT NOT NULL, first INTEGER NOT NULL, "
    "announced INTEGER NOT NULL, key_changed INTEGER)"};
constexpr std::size_t kLongestZone = 120;  // a ping's labels must fit before it
constexpr std::size_t kLongestVersion = 64;

tl::unexpected<Error> malformed(std::string cause) {
  return fail(ErrorKind::malformed, "read", "what the home says", std::move(cause));
}

bool is_zone(const std::string& zone) {
  if (zone.empty()) return true;
  if (zone.size() > kLongestZone) return false;
  for (const std::string_view label : split(zone, '.')) {
    if (label.empty() || label.size() > 63) return false;
    for (const char c : label) {
      const bool good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
      if (!good) return false;
    }
  }
  return true;
}

// Nobody's own: "com", "co.uk", "localhost". What is below one says nothing of whose it is.
bool is_public_suffix(const std::string& zone) {
  if (zone.find('.') == std::string::npos) return true;
  return registered_domain("a.b." + zone) == "b." + zone;
}

std::string text_in(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::string addresses_text(const std::vector<IpAddress>& addresses) {
  std::string text;
  for (const IpAddress& address : addresses)
    text += (text.empty() ? "" : " ") + address.to_string();
  return text;
}

void write_home(SQLite::Database& tables, const KeptHome& home) {
  SQLite::Statement write(tables, "INSERT OR REPLACE INTO home VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
  write.bind(1, home.edge);
  write.bind(2, home.name);
  write.bind(3, to_hex(home.box_public));
  write.bind(4, home.zone);
  write.bind(5, addresses_text(home.addresses));
  write.bind(6, home.version);
  write.bind(7, to_column(home.first));
  write.bind(8, to_column(home.announced));
  bind_time(write, 9, home.key_changed);
  write.exec();
}

}  // namespace

Result<std::unique_ptr<Homes>> Homes::open(Database& database) {
  if (auto done = database.migrate("homes", kMigrations); !done) {
    return tl::unexpected<Error>(std::move(done.error()));
  }
  std::unique_ptr<Homes> homes(new Homes(database));
  auto read = database.transact([&](SQLite::Database& tables) -> Result<void> {
    SQLite::Statement row(tables,
                          "SELECT edge, name, box_public, zone, addresses, version, first, "
                          "announced, key_changed FROM home");
    while (row.executeStep()) {
      KeptHome home;
      home.edge = row.getColumn(0).getString();
      home.name = row.getColumn(1).getString();
      if (const auto key = parse_key(row.getColumn(2).getString())) home.box_public = *key;
      home.zone = row.getColumn(3).getString();
      const std::string addresses = row.getColumn(4).getString();
      for (const std::string_view word : split(addresses, ' ')) {
        if (const auto address = IpAddress::parse(word)) home.addresses.push_back(*address);
      }
      home.version = row.getColumn(5).getString();
      home.first = time_in(row.getColumn(6));
      home.announced = time_in(row.getColumn(7));
      home.key_changed = maybe_time_in(row.getColumn(8));
      homes->homes_[home.edge] = std::move(home);
    }
    return {};
  });
  if (!read) return tl::unexpected<Error>(std::move(read.error()));
  return homes;
}

Result<KeptHome> Homes::parse(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return malformed("it is not a JSON object");
  KeptHome home;
  const auto key = parse_key(text_in(json, "box_public"));
  if (!key) return malformed("'box_public' is not 64 hex digits");
  home.box_public = *key;
  home.zone = ascii_lower(text_in(json, "zone"));
  if (!home.zone.empty() && home.zone.back() == '.') home.zone.pop_back();
  if (!is_zone(home.zone)) return malformed("'zone' is no DNS name of at most 120 characters");
  if (!home.zone.empty() && is_public_suffix(home.zone)) {
    return malformed("'zone' is '" + home.zone +
                     "', which many share: delegate a name of your own, such as t.example.org");
  }
  home.version = terminal_safe(text_in(json, "version")).substr(0, kLongestVersion);
  const auto addresses = json.find("addresses");
  if (addresses == json.end() || !addresses->is_array() || addresses->size() > kMostAddresses) {
    return malformed("'addresses' is not a list of at most 8");
  }
  for (const Json& each : *addresses) {
    const auto address =
        each.is_string() ? IpAddress::parse(each.get<std::string>()) : std::nullopt;
    if (!address || address->is_unspecified() || address->is_multicast()) {
      return malformed("'addresses' holds what is no address of a host");
    }
    home.addresses.push_back(*address);
  }
  return home;
}

Result<std::optional<KeptHome>> Homes::announce(const KeptHome& home, Timestamp now) {
  const std::lock_guard lock(mutex_);
  KeptHome kept = home;
  std::optional<KeptHome> before;
  kept.first = kept.announced = now;
  if (const auto found = homes_.find(home.edge); found != homes_.end()) {
    kept.first = found->second.first;
    kept.key_changed = found->second.key_changed;
    if (found->second.box_public != home.box_public) kept.key_changed = now;
    const bool is_same = found->second.box_public == home.box_public &&
                         found->second.zone == home.zone &&
                         found->second.addresses == home.addresses;
    if (!is_same) before = found->second;
  } else if (homes_.size() >= kMostHomes) {
    return fail(ErrorKind::limit, "keep", "home", "there are 256 already; revoke some edges");
  }
  auto done = database_.transact([&](SQLite::Database& tables) -> Result<void> {
    write_home(tables, kept);
    return {};
  });
  if (!done) return tl::unexpected<Error>(std::move(done.error()));
  homes_[kept.edge] = std::move(kept);
  return before;
}

Result<bool> Homes::forget(const std::string& edge) {
  const std::lock_guard lock(mutex_);
  if (homes_.count(edge) == 0) return false;
  auto done = database_.transact([&](SQLite::Database& tables) -> Result<void> {
    SQLite::Statement remove(tables, "DELETE FROM home WHERE edge = ?");
    remove.bind(1, edge);
    remove.exec();
    return {};
  });
  if (!done) return tl::unexpected<Error>(std::move(done.error()));
  homes_.erase(edge);
  return true;
}

std::vector<KeptHome> Homes::list() const {
  const std::lock_guard lock(mutex_);
  std::vector<KeptHome> all;
  for (const auto& [edge, home] : homes_)
    all.push_back(home);
  std::stable_sort(all.begin(), all.end(),
                   [](const KeptHome& a, const KeptHome& b) { return a.name < b.name; });
  return all;
}

std::optional<KeptHome> Homes::find(const std::string& edge) const {
  const std::lock_guard lock(mutex_);
  const auto found = homes_.find(edge);
  return found == homes_.end() ? std::nullopt : std::optional(found->second);
}

std::string Homes::with_address(const IpAddress& address) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [edge, home] : homes_) {
    if (std::find(home.addresses.begin(), home.addresses.end(), address) != home.addresses.end()) {
      return edge;
    }
  }
  return {};
}

std::string Homes::with_name(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [edge, home] : homes_) {
    if (home.zone.empty()) continue;
    if (name == home.zone) return edge;
    const bool below = name.size() > home.zone.size() && name.ends_with(home.zone) &&
                       name[name.size() - home.zone.size() - 1] == '.';
    if (below) return edge;
  }
  return {};
}

Alert home_alert(const KeptHome& before, const KeptHome& home, Timestamp now) {
  std::string what;
  const auto differs = [&](std::string_view name, const std::string& old, const std::string& now_) {
    if (old == now_) return;
    what += (what.empty() ? "" : "; ") + std::string(name) + " was " +
            (old.empty() ? "none" : old) + ", is " + (now_.empty() ? "none" : now_);
  };
  differs("its DNS zone", before.zone, home.zone);
  differs("its addresses", addresses_text(before.addresses), addresses_text(home.addresses));
  differs("its key", to_hex(before.box_public), to_hex(home.box_public));
  Alert alert;
  alert.kind = "home.changed";
  alert.id = sha256_hex(alert.kind + '\n' + home.edge + '\n' + to_rfc3339(now) + '\n' + what)
                 .substr(0, 32);
  alert.title = "Home " + home.name + " says that it is elsewhere";
  alert.description = "Of the home " + home.name + ": " + what +
                      ". Traffic to a home is labelled as ours and the hunt stays silent about it. "
                      "If nobody changed its configuration, its machine is somebody else's now: "
                      "revoke it ('beaconry edges revoke').";
  alert.severity = Severity::high;
  alert.source = "leaks";
  alert.subject = home.edge;
  alert.time = now;
  alert.tags = {"home", "changed"};
  constexpr auto kReplace = Json::error_handler_t::replace;
  alert.details = Json{{"home", home.edge},
                       {"home_name", home.name},
                       {"zone_before", before.zone},
                       {"zone", home.zone},
                       {"addresses_before", addresses_text(before.addresses)},
                       {"addresses", addresses_text(home.addresses)}}
                      .dump(-1, ' ', false, kReplace);
  return alert;
}

std::string probe_list_json(const std::vector<KeptProbe>& probes, const std::string& home,
                            std::string_view after, Timestamp now) {
  Json list = Json::array(), controls = Json::array();
  for (const KeptProbe& probe : probes) {
    if (probe.home != home) continue;
    list.push_back({{"id", probe.id.to_string()},
                    {"name", probe.name},
                    {"box_public", to_hex(probe.box_public)},
                    {"sign_public", to_hex(probe.sign_public)},
                    {"retired", probe.is_retired(now)}});
    if (probe.control != ControlKind::home || probe.is_retired(now) || probe.successor) continue;
    controls.push_back(
        {{"probe", probe.id.to_string()}, {"every_seconds", probe.control_every.count()}});
  }
  Json json{{"probes", std::move(list)}, {"controls", std::move(controls)}};
  constexpr auto kReplace = Json::error_handler_t::replace;
  // 48 bits of its own digest: a whole number that every reader of JSON holds exactly.
  const std::string digest = sha256_hex(json.dump(-1, ' ', false, kReplace)).substr(0, 12);
  const std::uint64_t version = std::stoull(digest, nullptr, 16);
  if (after == std::to_string(version)) return Json{{"version", version}}.dump();
  json["version"] = version;
  return json.dump(-1, ' ', false, kReplace);
}

}  // namespace beaconry
