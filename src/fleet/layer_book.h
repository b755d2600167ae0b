#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "fleet/fleet_groups.h"
#include "fleet/layers.h"
#include "fleet/selector.h"

namespace beaconry {

// The layers of a whole fleet as they hold, or as they would hold: a value, copied to see what a
// change would make. Texts are shared by its copies.
class LayerBook {
 public:
  using Text = std::shared_ptr<const std::string>;
  struct Group {
    FleetGroups::Group group;
    Text json;  // null: no document yet
  };
  // Who asks: what layers depend on.
  struct Sensor {
    std::string_view fingerprint;
    const Labels& labels;
  };
  // Another document of this target ("fleet", "group:NAME", "sensor:FINGERPRINT") for this sensor.
  // Null: none; an empty text: no layer.
  using Overlay = std::function<Text(const std::string& target, std::string_view sensor)>;

  // "fleet", "group:NAME" of a group that is there, "sensor:FINGERPRINT". Empty: no layer.
  void set(const std::string& target, std::string json);
  void set_group(const FleetGroups::Group& group);  // keeps its document
  void remove_group(const std::string& name);

  Text document(const std::string& target) const;  // null: none
  const Group* group(std::string_view name) const;
  const std::vector<Group>& groups() const { return groups_; }  // in the order of their layers
  bool reaches(const std::string& target, const Sensor& sensor) const;
  std::vector<std::string> groups_of(const Labels& labels) const;

  // Merges sensor by sensor; those whose layers are the same share one result.
  class Merger {
   public:
    Merger(const LayerBook& book, Overlay overlay);
    Result<std::shared_ptr<const MergedLayers>> merge(const Sensor& sensor);

   private:
    struct Part {
      std::string name;
      Text json;
    };
    void add(std::vector<Part>& parts, const std::string& target, std::string name,
             const Sensor& sensor, const Text& held);

    const LayerBook& book_;
    Overlay overlay_;
    std::map<std::vector<Text>, std::shared_ptr<const MergedLayers>> merged_;  // by address
  };

 private:
  Text fleet_;
  std::vector<Group> groups_;
  std::map<std::string, Text, std::less<>> own_;  // by fingerprint
};

}  // namespace beaconry
