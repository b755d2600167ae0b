#include "sensor/rollback.h"

namespace beaconry {
namespace {

Json instances_of(const Json& desired) {
  Json instances = desired.is_object() ? desired.value("instances", Json()) : Json();
  return instances.is_object() ? instances : Json::object();
}

}  // namespace

Json rolled_back(const Json& now, Json then) {
  const Json before = instances_of(now);
  Json instances = instances_of(then);
  for (Json& each : instances)
    if (each.is_object()) each["source"] = "";
  for (const auto& [name, each] : before.items())
    if (!text_at(each, "source").empty()) instances[name] = each;
  then["instances"] = std::move(instances);
  return then;
}

std::vector<std::string> instances_that_go(const Json& now, const Json& after) {
  const Json before = instances_of(now), stay = instances_of(after);
  std::vector<std::string> names;
  for (const auto& [name, each] : before.items())
    if (!stay.contains(name)) names.push_back(name);
  return names;
}

}  // namespace beaconry
