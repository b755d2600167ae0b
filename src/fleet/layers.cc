#include "fleet/layers.h"

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "fleet/document_text.h"

namespace beaconry {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMostInstances = 256;

enum class Kind : std::uint8_t { text, boolean, count, object, interfaces };
// An instance's keys (docs/formats/sensor-state.md). `source` is of files on the sensor alone.
constexpr std::array<std::pair<std::string_view, Kind>, 8> kInstanceKeys = {
    {{"image", Kind::text},
     {"running", Kind::boolean},
     {"interfaces", Kind::interfaces},
     {"config", Kind::object},
     {"retention_hours", Kind::count},
     {"allow_unsigned", Kind::boolean},
     {"approved", Kind::text},
     {"restarts", Kind::count}}};
constexpr std::array<std::string_view, 6> kInterfaceKeys = {"name",    "kind",    "parent",
                                                            "address", "gateway", "resolvers"};

// Of an instrument and a number, beacon_0, as the bus has it (docs/formats/instrument.md).
bool is_instance_name(std::string_view name) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz", kDigits = "0123456789";
  const std::size_t at = name.rfind('_');
  if (at == std::string_view::npos || at == 0 || at > 32) return false;
  const std::string_view word = name.substr(0, at), number = name.substr(at + 1);
  if (number.empty() || number.size() > 3 || (number.size() > 1 && number.front() == '0'))
    return false;
  if (number.find_first_not_of(kDigits) != std::string_view::npos) return false;
  char before = '-';
  for (const char c : word) {
    const bool letter = kLetters.find(c) != std::string_view::npos;
    if (c == '-' ? before == '-' : !letter && kDigits.find(c) == std::string_view::npos)
      return false;
    before = c;
  }
  return before != '-' && kLetters.find(word.front()) != std::string_view::npos;
}

class LayerCheck {
 public:
  explicit LayerCheck(std::string name) : name_(std::move(name)) {}

  Result<void> run(const Json& root) {
    for (const auto& [key, value] : root.items()) {
      if (key == "management") {
        // Its keys are the sensor's to check, which alone knows its own network.
        if (!value.is_object() && !value.is_null()) refuse("/management", "is no object");
      } else if (key != "instances") {
        refuse(below("", key), "unknown; a layer has the keys 'instances' and 'management' alone");
      } else if (!value.is_object()) {
        refuse("/instances", "is no object");
      } else if (value.size() > kMostInstances) {
        refuse("/instances", "has more than 256 instances");
      } else {
        for (const auto& [name, instance] : value.items())
          check_instance(below("/instances", name), name, instance);
      }
    }
    if (fault_) return tl::unexpected<Error>(std::move(*fault_));
    return {};
  }

 private:
  void refuse(const std::string& place, std::string cause) {
    if (fault_) return;
    fault_ =
        Error{ErrorKind::malformed, "read", terminal_safe(name_ + ' ' + place), std::move(cause)};
  }

  void check_instance(const std::string& place, const std::string& name, const Json& instance) {
    if (!is_instance_name(name))
      return refuse(place, "is no instance's name; write the instrument's and a number: beacon_0");
    if (instance.is_null()) return;
    if (!instance.is_object()) return refuse(place, "is neither an object nor null");
    for (const auto& [key, value] : instance.items()) {
      const auto known = std::find_if(kInstanceKeys.begin(), kInstanceKeys.end(),
                                      [&key = key](const auto& each) { return each.first == key; });
      if (known == kInstanceKeys.end()) {
        refuse(below(place, key), unknown_key(key));
      } else if (!value.is_null()) {
        check_value(below(place, key), known->second, value);
      }
    }
  }

  static std::string unknown_key(const std::string& key) {
    if (key == "source") return "is the sensor's own word for its files; leave it out";
    std::vector<std::string_view> words;
    words.reserve(std::size(kInstanceKeys));
    for (const auto& [word, kind] : kInstanceKeys)
      words.push_back(word);
    const std::string_view near = nearest_word(key, words);
    return "no key of an instance" +
           (near.empty() ? std::string() : "; did you mean '" + std::string(near) + "'?");
  }

  void check_value(const std::string& place, Kind kind, const Json& value) {
    if (kind == Kind::text && !value.is_string()) return refuse(place, "is no text");
    if (kind == Kind::boolean && !value.is_boolean())
      return refuse(place, "is neither true nor false");
    if (kind == Kind::count && !value.is_number_unsigned())
      return refuse(place, "is no whole number");
    if (kind == Kind::object && !value.is_object()) return refuse(place, "is no object");
    if (kind == Kind::interfaces) check_interfaces(place, value);
  }

  void check_interfaces(const std::string& place, const Json& list) {
    if (!list.is_array()) return refuse(place, "is no list");
    for (std::size_t i = 0; i < list.size(); ++i) {
      const std::string at = below(place, std::to_string(i));
      if (!list[i].is_object()) return refuse(at, "is no object");
      if (!list[i].contains("name")) refuse(at, "has no 'name'");
      for (const auto& [key, value] : list[i].items()) {
        if (std::find(kInterfaceKeys.begin(), kInterfaceKeys.end(), key) == kInterfaceKeys.end()) {
          refuse(below(at, key), "no key of an interface");
        } else if (key == "resolvers" ? !value.is_array() : !value.is_string()) {
          refuse(below(at, key), key == "resolvers" ? "is no list" : "is no text");
        }
      }
    }
  }

  std::string name_;
  std::optional<Error> fault_;
};

class Merge {
 public:
  void add(const Json& patch, const std::string& layer) { lay("", root_, patch, layer); }
  Json& root() { return root_; }
  const std::map<std::string, std::string>& origin() const { return origin_; }

 private:
  void forget(const std::string& pointer) {
    origin_.erase(pointer);
    const std::string prefix = pointer + '/';
    auto at = origin_.lower_bound(prefix);
    while (at != origin_.end() && at->first.starts_with(prefix))
      at = origin_.erase(at);
  }

  void lay(const std::string& pointer, Json& target, const Json& patch, const std::string& layer) {
    for (const auto& [key, value] : patch.items()) {
      const std::string place = below(pointer, key);
      if (value.is_null()) {
        target.erase(key);
        forget(place);
        continue;
      }
      if (!value.is_object()) {
        forget(place);
        target[key] = value;
        origin_[place] = layer;
        continue;
      }
      Json& child = target[key];
      if (!child.is_object()) {
        forget(place);
        child = Json::object();
      }
      lay(place, child, value, layer);
      if (!child.empty()) origin_.erase(place);
    }
    // An empty map is a leaf: it was given so, or its last key was removed.
    if (target.empty() && !pointer.empty()) origin_.try_emplace(pointer, layer);
  }

  Json root_ = Json::object();
  std::map<std::string, std::string> origin_;
};

}  // namespace

Result<void> check_layer(const Layer& layer) {
  const auto json = parse_object(layer.json, layer.name);
  if (!json) return tl::unexpected<Error>(json.error());
  return LayerCheck(layer.name).run(*json);
}

Result<MergedLayers> merge_layers(const std::vector<Layer>& layers) {
  Merge merge;
  std::map<std::string, std::string> mentioned;  // instance -> last layer with a say in it
  for (const Layer& layer : layers) {
    const auto json = parse_object(layer.json, layer.name);
    if (!json) return tl::unexpected<Error>(json.error());
    if (auto right = LayerCheck(layer.name).run(*json); !right)
      return tl::unexpected<Error>(std::move(right.error()));
    merge.add(*json, layer.name);
    if (const auto instances = json->find("instances"); instances != json->end()) {
      for (const auto& [name, instance] : instances->items())
        mentioned[name] = layer.name;
    }
  }
  Json& instances = merge.root()["instances"];
  if (!instances.is_object()) instances = Json::object();
  if (instances.size() > kMostInstances) {
    return fail(ErrorKind::malformed, "merge", "/instances",
                "the layers have more than 256 instances together");
  }
  for (const auto& [name, instance] : instances.items()) {
    if (instance.contains("image")) continue;
    return fail(ErrorKind::malformed, "merge",
                terminal_safe(mentioned[name] + ' ' + below("/instances", name)),
                "no layer gives it an image: give one, or remove it by null");
  }
  MergedLayers merged{text_of(merge.root()), text_of(Json(merge.origin()))};
  merged.instances = instances_in(merged.json);
  if (merged.json.size() > kLongestFleetDocument)
    return fail(ErrorKind::malformed, "merge", "layers", "they make more than 1 MiB together");
  return merged;
}

}  // namespace beaconry
