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
  Json instances = Json::object();
  const Json after = instances_of(then);
  for (const auto& [name, each] : after.items()) {
    if (text_at(each, "source") == "fleet") continue;  // the server's, then and now
    instances[name] = each;
    if (each.is_object()) instances[name]["source"] = "";
  }
  for (const auto& [name, each] : before.items())
    if (!text_at(each, "source").empty()) instances[name] = each;
  then["instances"] = std::move(instances);
  if (text_at(then, "management_source") == "fleet") then.erase("management");
  then.erase("management_source");
  if (!then.contains("management") && text_at(now, "management_source") == "fleet") {
    then["management"] = now.value("management", Json());
    then["management_source"] = "fleet";
  }
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
