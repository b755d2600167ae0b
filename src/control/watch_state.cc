#include "control/watch_state.h"

#include <nlohmann/json.hpp>

namespace beaconry {
namespace {

using Json = nlohmann::json;

std::int64_t to_number(Timestamp time) {
  return time.time_since_epoch().count();
}
Timestamp to_time(std::int64_t number) {
  return Timestamp{Duration{number}};
}

}  // namespace

std::string watch_state_json(const BeaconState& s) {
  const Json json{{"identity", s.identity},
                  {"is_beacon", s.is_beacon},
                  {"gone", s.gone},
                  {"gone_alerted", s.gone_alerted},
                  {"score", s.score},
                  {"severity", static_cast<unsigned>(s.severity)},
                  {"interval", s.interval_seconds},
                  {"longest_interval", s.longest_interval_seconds},
                  {"destinations", s.destinations},
                  {"found", to_number(s.found)},
                  {"last_seen", to_number(s.last_seen)},
                  {"last_beacon", to_number(s.last_beacon)},
                  {"last_alert", to_number(s.last_alert)},
                  {"alerted_score", s.alerted_score},
                  {"alerted_severity", static_cast<unsigned>(s.alerted_severity)},
                  {"triage", static_cast<unsigned>(s.triage)},
                  {"triaged_until", to_number(s.triaged_until)},
                  {"triaged_interval", s.triaged_interval_seconds},
                  {"triaged_destinations", s.triaged_destinations}};
  return json.dump(-1, ' ', true, Json::error_handler_t::replace);
}

Result<BeaconState> watch_state_from_json(std::string_view text) {
  try {
    const Json json = Json::parse(text);
    BeaconState s;
    s.identity = json.at("identity").get<std::string>();
    s.is_beacon = json.at("is_beacon").get<bool>();
    s.gone = json.at("gone").get<bool>();
    s.gone_alerted = json.at("gone_alerted").get<bool>();
    s.score = json.at("score").get<double>();
    s.severity = static_cast<Confidence>(json.at("severity").get<unsigned>());
    s.interval_seconds = json.at("interval").get<double>();
    s.longest_interval_seconds = json.at("longest_interval").get<double>();
    s.destinations = json.at("destinations").get<std::vector<std::string>>();
    s.found = to_time(json.at("found").get<std::int64_t>());
    s.last_seen = to_time(json.at("last_seen").get<std::int64_t>());
    s.last_beacon = to_time(json.at("last_beacon").get<std::int64_t>());
    s.last_alert = to_time(json.at("last_alert").get<std::int64_t>());
    s.alerted_score = json.at("alerted_score").get<double>();
    s.alerted_severity = static_cast<Confidence>(json.at("alerted_severity").get<unsigned>());
    s.triage = static_cast<Triaged>(json.at("triage").get<unsigned>());
    s.triaged_until = to_time(json.at("triaged_until").get<std::int64_t>());
    s.triaged_interval_seconds = json.at("triaged_interval").get<double>();
    s.triaged_destinations = json.at("triaged_destinations").get<std::vector<std::string>>();
    if (s.severity > Confidence::critical || s.alerted_severity > Confidence::critical ||
        s.triage > Triaged::benign) {
      return fail(ErrorKind::malformed, "read", "a beacon's state", "a value is out of range");
    }
    return s;
  } catch (const Json::exception& error) {
    return fail(ErrorKind::malformed, "read", "a beacon's state", error.what());
  }
}

}  // namespace beaconry
