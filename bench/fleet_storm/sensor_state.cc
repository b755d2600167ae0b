// What a simulated sensor says of itself, and what it is wished to be.
#include <nlohmann/json.hpp>

#include "fleet_storm/simulated_sensor.h"
#include "sensor/reported_state.h"

namespace beaconry::bench {
namespace {

const std::string kImage(64, '9');

std::string instance_name(unsigned number) {
  return "beacon_" + std::to_string(number);
}

Health healthy(std::string name, Timestamp since, std::vector<Health> parts = {}) {
  Health health;
  health.name = std::move(name);
  health.state = HealthState::healthy;
  health.since = since;
  health.parts = std::move(parts);
  return health;
}

}  // namespace

std::string reported_state(const std::string& name, std::uint64_t desired_version,
                           std::uint64_t config_version, Timestamp started, Timestamp now,
                           std::uint64_t events) {
  SensorReport report;
  report.name = name;
  report.version = "1.0.0";
  report.runtime = "LXD 5.0.2";
  report.started = started;
  report.now = now;
  report.desired_version = desired_version;
  report.pool = {std::uint64_t{64} << 30, std::uint64_t{7} << 30};
  report.days_to_full = 210;
  report.uplink = {"https://127.0.0.1", {}, true, 0, 0};
  std::vector<Health> parts;
  for (unsigned i = 0; i < kInstruments && desired_version > 0; ++i) {
    InstanceReport one;
    one.name = instance_name(i);
    one.version = "1.0";
    one.image = one.wished_image = kImage;
    one.state = InstanceState::running;
    one.wished_running = true;
    one.since = started;
    one.starts = 1;
    one.update = {UpdateState::installed, "image 1.0", {}, started};
    one.config = {ConfigState::applied, config_version, config_version, {}};
    one.health = healthy(one.name, started,
                         {healthy("interface probe", started), healthy("configuration", started),
                          healthy("events", started), healthy("storage", started)});
    InterfaceReport probe;
    probe.name = "probe";
    probe.present = probe.carrier = true;
    probe.address = "10.20.30." + std::to_string(10 + i) + "/24";
    probe.received = 100'000 + events;
    probe.sent = 50'000 + events;
    one.interfaces.push_back(std::move(probe));
    one.persistent = {std::uint64_t{1} << 30, 12'345'678, 900.0};
    one.transient = {std::uint64_t{1} << 30, 2'345'678, {}};
    one.retention = {started, started, started - std::chrono::hours{720}, 12, 3'456, false, {}};
    one.events.stored = events / kInstruments;
    one.memory = 24 << 20;
    one.processes = 3;
    parts.push_back(one.health);
    report.instances.push_back(std::move(one));
  }
  report.health = healthy(name, started, std::move(parts));
  return nlohmann::ordered_json::parse(report.to_json(), nullptr, false).dump();
}

std::string wished_layer(unsigned every) {
  nlohmann::ordered_json instances = nlohmann::ordered_json::object();
  for (unsigned i = 0; i < kInstruments; ++i) {
    instances[instance_name(i)] = {
        {"image", kImage},
        {"running", true},
        {"interfaces",
         {{{"name", "probe"}, {"kind", "bridge"}, {"parent", "br0"}, {"address", "dhcp"}}}},
        {"config", {{"every", every}, {"homes", {"home.example.org"}}, {"jitter", 0.2}}},
        {"retention_hours", 720}};
  }
  return nlohmann::ordered_json{{"instances", std::move(instances)}}.dump();
}

}  // namespace beaconry::bench
