#include "home/home_status.h"

#include <nlohmann/json.hpp>

#include "base/text.h"

namespace beaconry {

std::string to_json(const HomeStatus& status) {
  using Json = nlohmann::ordered_json;
  Json document;
  document["id"] = status.id;
  document["box_public"] = status.box_public;
  Json& receivers = document["receivers"] = Json::object();
  for (const HomeStatus::Way& way : status.receivers) {
    Json& one = receivers[way.name] = {{"open", way.fault.empty()}};
    if (!way.fault.empty()) one["fault"] = utf8_valid(way.fault);
    Json& counters = one["counters"] = Json::object();
    for (const Receiver::Counter& counter : way.counters)
      counters[counter.name] = counter.value;
  }
  Json& counters = document["counters"] = Json::object();
  for (const EdgeCounter& counter : status.counters) {
    if (counter.place.empty()) counters[counter.name] = counter.value;
  }
  Json& probes = document["probes"] = Json::array();
  for (const auto& [probe, record] : status.probes) {
    Json one{
        {"id", probe.id.to_string()}, {"name", utf8_valid(probe.name)}, {"retired", probe.retired},
        {"heard", nullptr},           {"pings", record.pings},          {"repeats", record.repeats},
        {"tokens", record.tokens},    {"answers", record.answers},      {"skew_seconds", nullptr}};
    if (record.heard != Timestamp{}) one["heard"] = to_rfc3339(record.heard);
    if (record.skew_known) one["skew_seconds"] = to_seconds(record.skew);
    probes.push_back(std::move(one));
  }
  return document.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace beaconry
