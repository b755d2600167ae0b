#include "sensor/fleet/report_body.h"

#include <sys/utsname.h>
#include <time.h>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/text.h"
#include "http/certificates.h"
#include "sensor/desired_state.h"

namespace beaconry {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kLongestText = 4000, kMostProblems = 200, kLongestId = 256;

void shorten(Json& json) {
  if (json.is_string()) {
    auto& text = json.get_ref<Json::string_t&>();
    if (text.size() > kLongestText) text = utf8_valid(text.substr(0, kLongestText - 16)) + " ...";
  } else if (json.is_structured()) {
    for (auto& each : json)
      shorten(each);
  }
}

// How full what is well is by now, and the like.
void drop_evidence(Json& health) {
  if (!health.is_object()) return;
  if (health.value("state", "") == "healthy") health.erase("evidence");
  if (health.contains("parts")) {
    for (Json& part : health["parts"])
      drop_evidence(part);
  }
}

std::string id_of(const std::string& file) {
  const auto text = read_small_file(file, kLongestId);
  return text ? std::string(trim(*text)) : std::string();
}

}  // namespace

std::string report_body(const SensorReport& report, const ReportHead& head) {
  Json state = Json::parse(report.to_json(), nullptr, false);
  // The version of the desired state on disk here is no matter of the server's.
  state["desired_version"] = report.fleet.version;
  auto& problems = state["problems"].get_ref<Json::array_t&>();
  if (problems.size() > kMostProblems) problems.resize(kMostProblems);
  // More are there while the containers of some are still being removed.
  auto& instances = state["instances"].get_ref<Json::array_t&>();
  if (instances.size() > kMostInstances) instances.resize(kMostInstances);
  shorten(state);
  Json body;
  body["boot"] = head.boot;
  body["machine"] = head.machine;
  body["sequence"] = head.sequence;
  body["reported"] = std::move(state);
  return body.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string report_meaning(const SensorReport& report) {
  Json state = Json::parse(report.to_json(), nullptr, false);
  for (const char* key : {"now", "pool", "days_to_full", "bus_restarts"})
    state.erase(key);
  state["uplink"].erase("waiting");
  state["uplink"].erase("dropped");
  state["fleet"].erase("heard");
  drop_evidence(state["health"]);
  for (Json& one : state["instances"]) {
    for (const char* key : {"memory", "processes", "events", "relayed", "retention", "persistent",
                            "transient", "retry"})
      one.erase(key);
    drop_evidence(one["health"]);
    for (Json& interface : one["interfaces"]) {
      for (const char* key : {"received", "sent", "refused_sent", "refused_received"})
        interface.erase(key);
    }
    for (Json& resource : one["resources"]) {
      resource.erase("looked");
      resource.erase("retry");
    }
  }
  return sha256_hex(state.dump(-1, ' ', false, Json::error_handler_t::replace));
}

ReportHead read_report_head() {
  ReportHead head;
  head.boot = id_of("/proc/sys/kernel/random/boot_id");
  head.machine = id_of("/etc/machine-id");
  utsname names{};
  if (head.machine.empty() && ::uname(&names) == 0) head.machine = names.nodename;
  if (head.boot.empty()) head.boot = "unknown";
  if (head.machine.empty()) head.machine = "unknown";
  return head;
}

std::uint64_t since_boot() {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1000 +
         static_cast<std::uint64_t>(now.tv_nsec) / 1'000'000;
}

}  // namespace beaconry
