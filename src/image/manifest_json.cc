#include <nlohmann/json.hpp>

#include "image/digest.h"
#include "image/manifest.h"

namespace beaconry {
namespace {

const char* contract_word(Direction direction) {
  return direction == Direction::receive ? "rx" : direction == Direction::transmit ? "tx" : "both";
}

// What widened() compares, and nothing that says only how.
nlohmann::json permissions(const Manifest& manifest) {
  nlohmann::json json;
  json["capabilities"] = manifest.capabilities;
  json["interfaces"] = nlohmann::json::array();
  for (const Manifest::Interface& each : manifest.interfaces)
    json["interfaces"].push_back({{"name", each.name}, {"contract", contract_word(each.contract)}});
  json["relations"] = nlohmann::json::array();
  for (const Manifest::Relation& each : manifest.relations)
    json["relations"].push_back({{"instrument", each.instrument},
                                 {"find", each.find},
                                 {"direct_message", each.direct_message},
                                 {"events", each.events}});
  json["uplink"] = manifest.uplink;
  json["downloads"] = manifest.downloads;
  json["resources"] = manifest.resources;
  json["canary"] = manifest.canary;
  const Manifest::Limits& limits = manifest.limits;
  json["limits"] = {{"memory", limits.memory},
                    {"cpu_percent", limits.cpu_percent},
                    {"processes", limits.processes},
                    {"temporary", limits.temporary},
                    {"persistent", limits.persistent},
                    {"transient", limits.transient},
                    {"events_per_second", limits.events_per_second}};
  return json;
}

}  // namespace

std::string Manifest::to_json() const {
  nlohmann::json json = permissions(*this);
  json["name"] = name;
  json["version"] = version;
  if (!description.empty()) json["description"] = description;
  if (!command.empty()) json["command"] = command;
  for (std::size_t i = 0; i < interfaces.size(); ++i) {
    json["interfaces"][i]["optional"] = interfaces[i].optional;
    if (!interfaces[i].words.empty()) json["interfaces"][i]["words"] = interfaces[i].words;
  }
  json["events"] = event_types;
  json["health"] = {{"every", health_every.count()},
                    {"deadline", health_deadline.count()},
                    {"healthy_within", healthy_within.count()}};
  if (!config_schema_json.empty()) {
    json["config"]["schema"] = nlohmann::json::parse(config_schema_json, nullptr, false);
    if (config_defaults_json != "{}")
      json["config"]["defaults"] = nlohmann::json::parse(config_defaults_json, nullptr, false);
  }
  if (!programs.empty()) json["programs"] = programs;
  if (!packages.empty()) json["packages"] = packages;
  for (const auto& [path, from] : files)
    json["files"][path] = from;
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string permission_digest(const Manifest& manifest) {
  return sha256_of(permissions(manifest).dump());
}

}  // namespace beaconry
