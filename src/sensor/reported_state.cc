#include "sensor/reported_state.h"

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "bus/messages.h"

namespace beaconry {
namespace {

using Json = nlohmann::ordered_json;

Json time(const std::optional<Timestamp>& at) {
  return at && *at != Timestamp{} ? Json(to_rfc3339(*at)) : Json(nullptr);
}

Json number(const std::optional<double>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json text(const std::string& value) {
  return utf8_valid(value);
}

Json texts(const std::vector<std::string>& values) {
  Json all = Json::array();
  for (const std::string& one : values)
    all.push_back(text(one));
  return all;
}

Json json(const Health& health) {
  return Json::parse(health_json(health), nullptr, false);
}

Json json(const InterfaceReport& one) {
  return {{"name", text(one.name)},
          {"present", one.present},
          {"carrier", one.carrier},
          {"cause", text(one.cause)},
          {"evidence", text(one.evidence)},
          {"fix", text(one.fix)},
          {"address", text(one.address)},
          {"received", one.received},
          {"sent", one.sent},
          {"refused_sent", one.refused_sent},
          {"refused_received", one.refused_received}};
}

Json json(const InstanceReport::Storage& storage) {
  return {{"quota", storage.quota},
          {"used", storage.used},
          {"days_to_full", number(storage.days_to_full)}};
}

Json json(const std::vector<InstanceReport::Resource>& resources) {
  Json all = Json::array();
  for (const InstanceReport::Resource& one : resources) {
    all.push_back({{"name", text(one.name)},
                   {"url", text(one.url)},
                   {"state", to_string(one.state)},
                   {"reason", text(one.reason)},
                   {"version", one.version},
                   {"since", time(one.since)},
                   {"looked", time(one.looked)},
                   {"retry", time(one.retry)}});
  }
  return all;
}

Json json(const ManagementReport& one) {
  return {{"state", to_string(one.state)},    {"interface", text(one.interface)},
          {"version", one.version},           {"since", time(one.since)},
          {"until", time(one.until)},         {"reason", text(one.reason)},
          {"addresses", texts(one.addresses)}};
}

Json json(const InstanceReport& one) {
  Json interfaces = Json::array();
  for (const InterfaceReport& each : one.interfaces)
    interfaces.push_back(json(each));
  Json out;
  out["name"] = one.name;
  out["version"] = text(one.version);
  out["image"] = one.image;
  out["wished_image"] = text(one.wished_image);
  out["wished_running"] = one.wished_running;
  out["state"] = to_string(one.state);
  out["cause"] = text(one.cause);
  out["last_log"] = text(one.last_log);
  out["since"] = time(one.since);
  out["retry"] = time(one.retry);
  out["starts"] = one.starts;
  out["failures"] = one.failures;
  out["wants_approval"] = texts(one.wants_approval);
  out["update"] = {{"state", to_string(one.update.state)},
                   {"what", text(one.update.what)},
                   {"reason", text(one.update.reason)},
                   {"since", time(one.update.since)}};
  out["resources"] = json(one.resources);
  out["config"] = {{"state", to_string(one.config.state)},
                   {"wished", one.config.wished},
                   {"applied", one.config.applied},
                   {"reason", text(one.config.reason)}};
  out["health"] = json(one.health);
  out["interfaces"] = std::move(interfaces);
  out["persistent"] = json(one.persistent);
  out["transient"] = json(one.transient);
  out["retention"] = {{"commanded", time(one.retention.commanded)},
                      {"answered", time(one.retention.answered)},
                      {"before", time(one.retention.before)},
                      {"items", one.retention.items},
                      {"bytes", one.retention.bytes},
                      {"overdue", one.retention.overdue},
                      {"error", text(one.retention.error)}};
  out["events"] = {{"stored", one.events.stored},
                   {"duplicates", one.events.duplicates},
                   {"refused", one.events.refused},
                   {"malformed", one.events.malformed}};
  out["relayed"] = {{"taken", one.relayed.taken},
                    {"bytes", one.relayed.bytes},
                    {"refused", one.relayed.refused},
                    {"waiting", one.relayed.waiting}};
  out["memory"] = one.memory;
  out["processes"] = one.processes;
  return out;
}

Json json(const SensorReport::Fleet& fleet) {
  Json refused = Json::object();
  for (const auto& [reason, count] : fleet.refused)
    refused[reason] = count;
  return {{"server", text(fleet.server)},  {"key", fleet.key},
          {"connected", fleet.connected},  {"error", text(fleet.error)},
          {"version", fleet.version},      {"taken", time(fleet.taken)},
          {"heard", time(fleet.heard)},    {"refused", std::move(refused)},
          {"refusal", text(fleet.refusal)}};
}

}  // namespace

std::string SensorReport::to_json() const {
  Json all = Json::array();
  for (const InstanceReport& one : instances)
    all.push_back(json(one));
  Json out;
  out["format"] = 1;
  out["name"] = text(name);
  out["version"] = text(version);
  out["runtime"] = text(runtime);
  out["runtime_fault"] = text(runtime_fault);
  out["started"] = time(started);
  out["now"] = time(now);
  out["desired_version"] = desired_version;
  out["health"] = json(health);
  out["instances"] = std::move(all);
  out["pool"] = {{"total", pool.total}, {"used", pool.used}};
  out["days_to_full"] = number(days_to_full);
  out["bus_fault"] = text(bus_fault);
  out["bus_restarts"] = bus_restarts;
  out["uplink"] = {{"server", text(uplink.server)},
                   {"connected", uplink.connected},
                   {"error", text(uplink.error)},
                   {"waiting", uplink.waiting},
                   {"dropped", uplink.dropped}};
  out["management"] = json(management);
  out["fleet"] = json(fleet);
  out["problems"] = texts(problems);
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + '\n';
}

}  // namespace beaconry
