#include "fleet/layer_book.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace beaconry {
namespace {

constexpr std::string_view kGroup = "group:", kSensor = "sensor:";

}  // namespace

void LayerBook::set(const std::string& target, std::string json) {
  Text text = json.empty() ? nullptr : std::make_shared<const std::string>(std::move(json));
  if (target == "fleet") {
    fleet_ = std::move(text);
  } else if (target.starts_with(kGroup)) {
    for (Group& each : groups_) {
      if (each.group.name == target.substr(kGroup.size())) each.json = text;
    }
  } else if (text) {
    own_[target.substr(kSensor.size())] = std::move(text);
  } else {
    own_.erase(target.substr(kSensor.size()));
  }
}

void LayerBook::set_group(const FleetGroups::Group& group) {
  Text json;
  if (const Group* held = this->group(group.name)) json = held->json;
  remove_group(group.name);
  const auto later = [](const FleetGroups::Group& a, const Group& b) {
    return std::tie(a.priority, a.name) < std::tie(b.group.priority, b.group.name);
  };
  groups_.insert(std::upper_bound(groups_.begin(), groups_.end(), group, later), {group, json});
}

void LayerBook::remove_group(const std::string& name) {
  std::erase_if(groups_, [&](const Group& each) { return each.group.name == name; });
}

LayerBook::Text LayerBook::document(const std::string& target) const {
  if (target == "fleet") return fleet_;
  if (target.starts_with(kGroup)) {
    const Group* found = group(std::string_view(target).substr(kGroup.size()));
    return found == nullptr ? nullptr : found->json;
  }
  const auto found = own_.find(std::string_view(target).substr(kSensor.size()));
  return found == own_.end() ? nullptr : found->second;
}

const LayerBook::Group* LayerBook::group(std::string_view name) const {
  const auto found = std::find_if(groups_.begin(), groups_.end(),
                                  [&](const Group& each) { return each.group.name == name; });
  return found == groups_.end() ? nullptr : &*found;
}

bool LayerBook::reaches(const std::string& target, const Sensor& sensor) const {
  if (target == "fleet") return true;
  if (target.starts_with(kGroup)) {
    const Group* found = group(std::string_view(target).substr(kGroup.size()));
    return found != nullptr && found->group.selector.matches(sensor.labels);
  }
  return std::string_view(target).substr(kSensor.size()) == sensor.fingerprint;
}

std::vector<std::string> LayerBook::groups_of(const Labels& labels) const {
  std::vector<std::string> names;
  for (const Group& each : groups_) {
    if (each.group.selector.matches(labels)) names.push_back(each.group.name);
  }
  return names;
}

LayerBook::Merger::Merger(const LayerBook& book, Overlay overlay)
    : book_(book), overlay_(std::move(overlay)) {}

void LayerBook::Merger::add(std::vector<Part>& parts, const std::string& target, std::string name,
                            const Sensor& sensor, const Text& held) {
  Text text = held;
  if (overlay_) {
    if (Text other = overlay_(target, sensor.fingerprint)) text = std::move(other);
  }
  if (text && !text->empty()) parts.push_back({std::move(name), std::move(text)});
}

Result<std::shared_ptr<const MergedLayers>> LayerBook::Merger::merge(const Sensor& sensor) {
  std::vector<Part> parts;
  add(parts, "fleet", "fleet", sensor, book_.fleet_);
  for (const Group& each : book_.groups_) {
    const std::string target = std::string(kGroup) + each.group.name;
    if (each.group.selector.matches(sensor.labels)) add(parts, target, target, sensor, each.json);
  }
  const auto own = book_.own_.find(sensor.fingerprint);
  add(parts, std::string(kSensor) + std::string(sensor.fingerprint), "sensor", sensor,
      own == book_.own_.end() ? nullptr : own->second);

  std::vector<Text> same;
  same.reserve(parts.size());
  for (const Part& part : parts)
    same.push_back(part.json);
  auto& merged = merged_[same];
  if (merged) return merged;
  std::vector<Layer> layers;
  layers.reserve(parts.size());
  for (const Part& part : parts)
    layers.push_back({part.name, *part.json});
  auto made = merge_layers(layers);
  if (!made) return tl::unexpected<Error>(std::move(made.error()));
  merged = std::make_shared<const MergedLayers>(std::move(*made));
  return merged;
}

}  // namespace beaconry
