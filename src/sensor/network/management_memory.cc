#include "sensor/network/management_memory.h"

#include <nlohmann/json.hpp>

#include "base/text.h"

namespace beaconry {
namespace {

using Json = nlohmann::json;

constexpr ManagementReport::State kStates[] = {
    ManagementReport::State::none, ManagementReport::State::trial,
    ManagementReport::State::confirmed, ManagementReport::State::reverted};

Json wish_json(const std::optional<ManagementWish>& wish) {
  return wish ? management_json(*wish) : Json(nullptr);
}

std::optional<ManagementWish> wish_of(const Json& json, const char* key,
                                      std::optional<Error>& fault) {
  const auto found = json.find(key);
  if (found == json.end() || found->is_null()) return std::nullopt;
  const JsonReader::Place place = [](std::string_view pointer) { return std::string(pointer); };
  JsonReader at(*found, std::string("/") + key, place, fault);
  return read_management(at);
}

}  // namespace

std::string ManagementMemory::to_json() const {
  Json json = {{"state", to_string(state)},         {"version", version},
               {"since", to_rfc3339(since)},        {"reason", utf8_valid(reason)},
               {"trial", wish_json(trial)},         {"refused", wish_json(refused)},
               {"confirmed", wish_json(confirmed)}, {"back", nullptr}};
  if (back) {
    json["back"] = {
        {"network", back->network.to_json()}, {"resolv_conf", nullptr}, {"boot", back->boot}};
    if (back->resolv_conf) json["back"]["resolv_conf"] = utf8_valid(*back->resolv_conf);
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<ManagementMemory> ManagementMemory::parse(const std::string& text) {
  const auto damaged = [] {
    return fail(ErrorKind::malformed, "read", "what is known of the management network",
                "it is damaged");
  };
  ManagementMemory memory;
  std::optional<Error> fault;
  try {
    const Json json = Json::parse(text);
    const std::string word = json.at("state").get<std::string>();
    for (const State one : kStates) {
      if (to_string(one) == word) memory.state = one;
    }
    memory.version = json.at("version").get<std::uint64_t>();
    memory.since = parse_rfc3339(json.at("since").get<std::string>()).value_or(Timestamp{});
    memory.reason = json.at("reason").get<std::string>();
    memory.trial = wish_of(json, "trial", fault);
    memory.refused = wish_of(json, "refused", fault);
    memory.confirmed = wish_of(json, "confirmed", fault);
    if (const Json& back = json.at("back"); !back.is_null()) {
      auto network = NetworkState::from_json(back.at("network"));
      if (!network) return damaged();
      memory.back = Back{std::move(*network), std::nullopt, back.value("boot", std::string())};
      if (const Json& conf = back.at("resolv_conf"); !conf.is_null())
        memory.back->resolv_conf = conf.get<std::string>();
    }
  } catch (const Json::exception&) {
    return damaged();
  }
  if (fault) return tl::unexpected<Error>(std::move(*fault));
  const bool lacks = (memory.state == State::trial && (!memory.trial || !memory.back)) ||
                     (memory.state == State::confirmed && !memory.confirmed);
  if (lacks) return damaged();
  return memory;
}

}  // namespace beaconry
