#include "control/widening.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "base/text.h"
#include "fleet/document_text.h"

namespace beaconry {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMostWords = 1000;

std::string text_at(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Json instances_of(const std::string& document) {
  const Json json = Json::parse(document, nullptr, false);
  if (!json.is_object()) return Json::object();
  const auto found = json.find("instances");
  return found != json.end() && found->is_object() ? *found : Json::object();
}

// Sensors of equal wishes share one document, whose origins are read once.
class Origins {
 public:
  // Whether a layer after this one gives the instance its image.
  bool is_overlaid(const FleetStore::Sensor& sensor, const std::string& instance,
                   const std::string& target) {
    if (!sensor.wish.merged || target.starts_with("sensor:")) return false;
    const auto [known, is_new] = all_.try_emplace(sensor.wish.merged.get());
    if (is_new) known->second = Json::parse(sensor.wish.origin(), nullptr, false);
    if (!known->second.is_object()) return false;
    const std::string from = text_at(known->second, ("/instances/" + instance + "/image").c_str());
    return from == "sensor" || (target == "fleet" && from.starts_with("group:"));
  }

 private:
  std::map<const MergedLayers*, Json> all_;
};

// What runs there; where nothing was reported of it, what was wished.
std::string image_of(const FleetStore::Sensor& sensor, const std::string& instance) {
  if (sensor.said) {
    for (const ReportedInstance& one : sensor.said->instances) {
      if (one.name == instance && !one.image.empty()) return one.image;
    }
  }
  for (const DocumentInstance& one : sensor.wish.instances()) {
    if (one.name == instance) return one.image;
  }
  return {};
}

class Manifests {
 public:
  explicit Manifests(const ImageStore& images) : images_(images) {}
  const Manifest* find(const std::string& sha256) {
    const auto known = all_.find(sha256);
    if (known != all_.end()) return known->second ? &*known->second : nullptr;
    std::optional<Manifest> manifest;
    if (is_sha256(sha256)) {
      if (auto read = images_.manifest(sha256)) manifest = std::move(*read);
    }
    const auto& kept = all_.emplace(sha256, std::move(manifest)).first->second;
    return kept ? &*kept : nullptr;
  }

 private:
  const ImageStore& images_;
  std::map<std::string, std::optional<Manifest>> all_;
};

}  // namespace

Result<std::vector<std::string>> widened_by(const Fleet& fleet, const ImageStore& images,
                                            const std::string& target, const std::string& after) {
  const auto layer = fleet.document(target, std::nullopt);
  if (!layer) return tl::unexpected<Error>(layer.error());
  Manifests manifests(images);
  Origins origins;
  std::vector<Fleet::Found> sensors;
  for (const std::string& name : layer->sensors) {
    if (Fleet::Found sensor = fleet.find(name)) sensors.push_back(std::move(sensor));
  }
  std::vector<std::string> words;
  std::set<std::string> known;
  const Json wished = instances_of(after);
  for (const auto& [name, instance] : wished.items()) {
    if (!instance.is_object()) continue;
    const Manifest* next = manifests.find(text_at(instance, "image"));
    if (next == nullptr || text_at(instance, "approved") == permission_digest(*next)) continue;
    std::set<std::string> befores;
    for (const Fleet::Found& sensor : sensors) {
      if (!origins.is_overlaid(*sensor, name, target)) befores.insert(image_of(*sensor, name));
    }
    for (const std::string& before : befores) {
      const Manifest* had = manifests.find(before);
      if (had == nullptr && !before.empty()) continue;
      for (const std::string& one :
           had != nullptr ? widened(*had, *next) : dangerous_wishes(*next)) {
        std::string line = name + ": " + one;
        if (words.size() < kMostWords && known.insert(line).second)
          words.push_back(std::move(line));
      }
    }
  }
  return words;
}

Result<std::map<std::string, std::string>> approvals(const ImageStore& images,
                                                     const std::string& document,
                                                     const std::vector<std::string>& words) {
  std::map<std::string, std::string> digests;
  const Json instances = instances_of(document);
  for (const std::string& line : words) {
    const std::string name = line.substr(0, line.find(':'));
    if (digests.contains(name)) continue;
    const auto found = instances.find(name);
    if (found == instances.end() || !found->is_object()) continue;
    const auto manifest = images.manifest(text_at(*found, "image"));
    if (!manifest) {
      return fail(ErrorKind::conflict, "approve", terminal_safe(line),
                  "the server does not have its image and cannot say what is approved: upload it");
    }
    digests[name] = permission_digest(*manifest);
  }
  return digests;
}

}  // namespace beaconry
