#include "fleet/document_instances.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace beaconry {

std::vector<DocumentInstance> instances_in(const std::string& document_json) {
  std::vector<DocumentInstance> all;
  const auto json = nlohmann::json::parse(document_json, nullptr, false);
  if (!json.is_object()) return all;
  const auto instances = json.find("instances");
  if (instances == json.end() || !instances->is_object()) return all;
  for (const auto& [name, instance] : instances->items()) {
    if (!instance.is_object()) continue;
    DocumentInstance& one = all.emplace_back();
    one.name = name;
    if (const auto image = instance.find("image"); image != instance.end() && image->is_string())
      one.image = image->get<std::string>();
    const auto running = instance.find("running");
    if (running != instance.end() && running->is_boolean()) one.running = running->get<bool>();
  }
  return all;
}

bool names_image(const std::vector<DocumentInstance>& instances, std::string_view image) {
  return std::any_of(instances.begin(), instances.end(),
                     [&](const DocumentInstance& one) { return one.image == image; });
}

}  // namespace beaconry
