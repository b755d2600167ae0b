#include "sensor/given_wish.h"

#include <algorithm>

#include "sensor/admission.h"

namespace beaconry {
namespace {

// Newest first: the wish's own, and what went before it.
std::uint64_t version_of(const std::string& json, const DocumentHistory& configs) {
  const auto numbers = configs.numbers();
  for (auto number = numbers.rbegin(); number != numbers.rend(); ++number) {
    const auto version = configs.version(*number);
    if (version && version->json == json) return *number;
  }
  return 0;
}

}  // namespace

std::vector<InterfaceWish> interfaces_for(const InstanceWish& wish, const Manifest& manifest,
                                          const std::string& proven) {
  if (check_interfaces(wish.interfaces, manifest)) return wish.interfaces;
  if (!proven.empty()) {
    if (const auto before = parse_interfaces(proven); before && check_interfaces(*before, manifest))
      return *before;
  }
  std::vector<InterfaceWish> known;
  for (const InterfaceWish& one : wish.interfaces) {
    if (std::any_of(manifest.interfaces.begin(), manifest.interfaces.end(),
                    [&](const auto& have) { return have.name == one.name; }))
      known.push_back(one);
  }
  return known;
}

GivenConfig config_for(const InstanceWish& wish, const Manifest& manifest,
                       const DocumentHistory* configs) {
  const auto numbered = [&](const std::string& json) {
    return GivenConfig{json, configs == nullptr ? 0 : version_of(json, *configs)};
  };
  if (wish.config_json.empty()) return numbered(manifest.config_defaults_json);
  if (check_config_of(wish.config_json, manifest)) return numbered(wish.config_json);
  if (configs != nullptr) {
    const auto numbers = configs->numbers();
    for (auto number = numbers.rbegin(); number != numbers.rend(); ++number) {
      const auto version = configs->version(*number);
      if (version && check_config_of(version->json, manifest)) return {version->json, *number};
    }
  }
  return numbered(manifest.config_defaults_json);
}

}  // namespace beaconry
