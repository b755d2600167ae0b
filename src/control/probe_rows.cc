#include "control/probe_rows.h"

#include <nlohmann/json.hpp>

#include "store/columns.h"

namespace beaconry {
namespace {

using Json = nlohmann::json;

// What never changes once the probe's line was made.
std::string settings_text(const KeptProbe& probe) {
  Json json{{"box_public", to_hex(probe.box_public)},
            {"sign_public", to_hex(probe.sign_public)},
            {"home", probe.home},
            {"home_key", to_hex(probe.home_key)},
            {"profile", probe.profile},
            {"short_period", probe.short_period.count()},
            {"long_cycle", probe.long_cycle},
            {"listen", probe.listen},
            {"control", std::string(to_string(probe.control))},
            {"control_address", probe.control_address.to_string()},
            {"control_port", probe.control_port},
            {"control_tcp", probe.control_tcp},
            {"control_every", probe.control_every.count()},
            {"neighbours", Json::array()},
            {"peers", Json::array()},
            {"notes", probe.notes},
            {"created_by", probe.created_by}};
  if (probe.end) json["end"] = probe.end->time_since_epoch().count();
  for (const IpAddress& address : probe.neighbours)
    json["neighbours"].push_back(address.to_string());
  for (const ProbePeer& peer : probe.peers) {
    json["peers"].push_back({{"name", peer.name},
                             {"address", peer.address.to_string()},
                             {"may_reach", peer.may_reach}});
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Key32 key_in(const Json& json, const char* name) {
  auto key = parse_key(json.at(name).get<std::string>());
  if (!key) throw std::runtime_error(key.error().message());
  return *key;
}

IpAddress address_in(const Json& json) {
  const auto address = IpAddress::parse(json.get<std::string>());
  if (!address) throw std::runtime_error("no address");
  return *address;
}

// Throws what the library throws.
void read_settings(const std::string& text, KeptProbe& probe) {
  const Json json = Json::parse(text);
  probe.box_public = key_in(json, "box_public");
  probe.sign_public = key_in(json, "sign_public");
  probe.home = json.at("home").get<std::string>();
  probe.home_key = key_in(json, "home_key");
  probe.profile = json.at("profile").get<std::string>();
  probe.short_period = std::chrono::seconds{json.at("short_period").get<std::int64_t>()};
  probe.long_cycle = json.at("long_cycle").get<bool>();
  probe.listen = json.at("listen").get<bool>();
  probe.control =
      parse_control_kind(json.at("control").get<std::string>()).value_or(ControlKind::none);
  probe.control_address = address_in(json.at("control_address"));
  probe.control_port = json.at("control_port").get<std::uint16_t>();
  probe.control_tcp = json.at("control_tcp").get<bool>();
  probe.control_every = std::chrono::seconds{json.at("control_every").get<std::int64_t>()};
  for (const Json& each : json.at("neighbours"))
    probe.neighbours.push_back(address_in(each));
  for (const Json& each : json.at("peers")) {
    probe.peers.push_back({each.at("name").get<std::string>(), address_in(each.at("address")),
                           each.at("may_reach").get<bool>()});
  }
  probe.notes = json.at("notes").get<std::string>();
  probe.created_by = json.at("created_by").get<std::string>();
  if (json.contains("end")) probe.end = Timestamp{Duration{json.at("end").get<std::int64_t>()}};
}

}  // namespace

std::vector<KeptProbe> read_probes(SQLite::Database& tables, std::string& problem) {
  std::vector<KeptProbe> probes;
  SQLite::Statement row(
      tables,
      "SELECT id, name, created, revoked, revoked_by, retires, successor, settings FROM "
      "probe");
  while (row.executeStep()) {
    KeptProbe probe;
    probe.name = row.getColumn(1).getString();
    const auto id = ProbeId::parse(row.getColumn(0).getString());
    probe.created = time_in(row.getColumn(2));
    probe.revoked = maybe_time_in(row.getColumn(3));
    probe.revoked_by = row.getColumn(4).getString();
    probe.retires = maybe_time_in(row.getColumn(5));
    if (!row.getColumn(6).isNull()) probe.successor = ProbeId::parse(row.getColumn(6).getString());
    try {
      if (!id) throw std::runtime_error("no id");
      probe.id = *id;
      read_settings(row.getColumn(7).getString(), probe);
    } catch (const std::exception& error) {
      problem = "probe '" + probe.name + "' cannot be read (" + error.what() + ")";
      continue;
    }
    probes.push_back(std::move(probe));
  }
  return probes;
}

void write_probe(SQLite::Database& tables, const KeptProbe& probe) {
  SQLite::Statement write(tables, "INSERT OR REPLACE INTO probe VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
  write.bind(1, probe.id.to_string());
  write.bind(2, probe.name);
  write.bind(3, to_column(probe.created));
  bind_time(write, 4, probe.revoked);
  write.bind(5, probe.revoked_by);
  bind_time(write, 6, probe.retires);
  probe.successor ? write.bind(7, probe.successor->to_string()) : write.bind(7);
  write.bind(8, settings_text(probe));
  write.exec();
}

}  // namespace beaconry
