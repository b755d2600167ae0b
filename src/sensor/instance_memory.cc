#include <nlohmann/json.hpp>

#include "base/text.h"
#include "sensor/instance.h"

namespace beaconry {
namespace {

using Json = nlohmann::json;

constexpr InstanceState kStates[] = {InstanceState::created,  InstanceState::installed,
                                     InstanceState::starting, InstanceState::running,
                                     InstanceState::stopping, InstanceState::errored,
                                     InstanceState::broken,   InstanceState::finished};
constexpr UpdateState kUpdates[] = {UpdateState::none,        UpdateState::pending,
                                    UpdateState::downloading, UpdateState::installing,
                                    UpdateState::installed,   UpdateState::failed};

std::string text(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}
std::uint64_t count(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}
bool boolean(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_boolean() && found->get<bool>();
}
Timestamp time(const Json& json, const char* key) {
  return parse_rfc3339(text(json, key)).value_or(Timestamp{});
}
template <class State, std::size_t N>
State state(const State (&all)[N], const std::string& word) {
  for (const State one : all) {
    if (to_string(one) == word) return one;
  }
  return all[0];
}

}  // namespace

std::string InstanceMemory::to_json() const {
  Json json = {{"wish", wish},
               {"wished_image", wished_image},
               {"restarts", restarts},
               {"interfaces", interfaces},
               {"starts", starts},
               {"failures", failures},
               {"broken", broken},
               {"finished", finished},
               {"finished_before", finished_before},
               {"cause", utf8_valid(cause)},
               {"last_log", utf8_valid(last_log)},
               {"rejected_image", rejected_image},
               {"rejected_by_runtime", rejected_by_runtime},
               {"in_doubt", in_doubt},
               {"remade_image", remade_image},
               {"proven_image", proven_image},
               {"proven_interfaces", proven_interfaces},
               {"permitted_image", permitted_image},
               {"permissions", utf8_valid(permissions)},
               {"of_file", of_file},
               {"refused_told", refused_told},
               {"state", to_string(this->state)},
               {"since", to_rfc3339(since)},
               {"update",
                {{"state", to_string(update.state)},
                 {"what", utf8_valid(update.what)},
                 {"reason", utf8_valid(update.reason)},
                 {"since", to_rfc3339(update.since)}}}};
  if (kept_until != Timestamp{}) json["kept_until"] = to_rfc3339(kept_until);
  return json.dump(2) + '\n';
}

Result<InstanceMemory> InstanceMemory::parse(const std::string& document) {
  const Json json = Json::parse(document, nullptr, false);
  if (!json.is_object()) {
    return fail(ErrorKind::malformed, "read", "an instance's memory", "it is no JSON object");
  }
  InstanceMemory memory;
  memory.wish = text(json, "wish");
  memory.wished_image = text(json, "wished_image");
  memory.restarts = count(json, "restarts");
  memory.interfaces = text(json, "interfaces");
  memory.starts = count(json, "starts");
  memory.failures = count(json, "failures");
  memory.broken = boolean(json, "broken");
  memory.finished = boolean(json, "finished");
  memory.finished_before = boolean(json, "finished_before");
  memory.cause = text(json, "cause");
  memory.last_log = text(json, "last_log");
  memory.rejected_image = text(json, "rejected_image");
  memory.rejected_by_runtime = boolean(json, "rejected_by_runtime");
  memory.in_doubt = boolean(json, "in_doubt");
  memory.remade_image = text(json, "remade_image");
  memory.proven_image = text(json, "proven_image");
  memory.proven_interfaces = text(json, "proven_interfaces");
  memory.permitted_image = text(json, "permitted_image");
  memory.permissions = text(json, "permissions");
  memory.of_file = boolean(json, "of_file");
  if (const auto told = json.find("refused_told"); told != json.end() && told->is_object()) {
    for (const auto& [interface, packets] : told->items()) {
      if (packets.is_number_unsigned()) memory.refused_told[interface] = packets;
    }
  }
  memory.kept_until = time(json, "kept_until");
  memory.state = beaconry::state(kStates, text(json, "state"));
  memory.since = time(json, "since");
  if (const auto update = json.find("update"); update != json.end() && update->is_object()) {
    memory.update.state = beaconry::state(kUpdates, text(*update, "state"));
    memory.update.what = text(*update, "what");
    memory.update.reason = text(*update, "reason");
    memory.update.since = time(*update, "since");
  }
  return memory;
}

}  // namespace beaconry
