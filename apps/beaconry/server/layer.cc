#include "server/layer.h"

#include <algorithm>

#include "base/hex.h"
#include "base/text.h"
#include "http/target.h"

namespace beaconry {
namespace {

constexpr std::size_t kDigits = 64, kShownDigits = 12;

// Each instance of a layer that tells its image by name.
template <class Layer, class Each>
void for_named_images(Layer& layer, const Each& each) {
  const auto instances = layer.find("instances");
  if (instances == layer.end() || !instances->is_object()) return;
  for (auto at = instances->begin(); at != instances->end(); ++at) {
    if (!at->is_object()) continue;
    const auto image = at->find("image");
    if (image == at->end() || !image->is_string()) continue;
    if (!is_lower_hex(image->template get<std::string>(), kDigits)) each(at.key(), *image);
  }
}

// `given` may also be the first digits of a SHA-256, as lists show them.
const Json* newest_of(const Json& images, const std::string& given) {
  const std::size_t colon = std::min(given.find(':'), given.size());
  const std::string name = given.substr(0, colon),
                    version = colon == given.size() ? "" : given.substr(colon + 1);
  const std::string digits = ascii_lower(given);
  const Json* found = nullptr;
  for (const Json& each : list_at(images, "images")) {
    if (text_at(each, "complete") == "false") continue;
    if (digits.size() >= kShownDigits && text_at(each, "sha256").starts_with(digits)) return &each;
    const bool fits =
        text_at(each, "name") == name && (version.empty() || text_at(each, "version") == version);
    if (fits && (found == nullptr || text_at(each, "added") > text_at(*found, "added"))) {
      found = &each;
    }
  }
  return found;
}

}  // namespace

Result<std::string> layer_path(const std::string& target) {
  const bool good =
      target == "fleet" ||
      ((target.starts_with("group:") || target.starts_with("sensor:")) && target.back() != ':');
  if (!good) {
    return fail(ErrorKind::usage, "read", '\'' + terminal_safe(target) + '\'',
                "write fleet, group:NAME or sensor:NAME");
  }
  return "/api/v1/fleet/desired/" + percent_encoded(target);
}

bool names_images(const Json& layer) {
  bool any = false;
  for_named_images(layer, [&](const std::string&, const Json&) { any = true; });
  return any;
}

Result<std::vector<std::string>> resolve_images(Json& layer, const Json& images) {
  std::vector<std::string> lines;
  std::string unknown, instance;
  for_named_images(layer, [&](const std::string& name, Json& image) {
    const std::string given = image.get<std::string>();
    const Json* found = newest_of(images, given);
    if (found == nullptr) {
      if (unknown.empty()) unknown = given, instance = name;
      return;
    }
    const std::string sha256 = text_at(*found, "sha256");
    lines.push_back(terminal_safe(name) + ": " + text_at(*found, "name") + ' ' +
                    text_at(*found, "version") + ", " + sha256.substr(0, kShownDigits));
    image = sha256;
  });
  if (!unknown.empty()) {
    return fail(ErrorKind::usage, "find", "/instances/" + terminal_safe(instance) + "/image",
                "the server has no image '" + terminal_safe(unknown) +
                    "'; `beaconry fleet images list` shows those that it has, `beaconry fleet "
                    "images add FILE.instrument` adds one");
  }
  return lines;
}

Result<std::string> find_image(const Json& images, const std::string& given) {
  const std::string digits = ascii_lower(given);
  const Json* found = newest_of(images, given);
  for (const Json& each : list_at(images, "images")) {
    if (digits.size() >= kShownDigits && text_at(each, "sha256").starts_with(digits)) found = &each;
  }
  if (found == nullptr) {
    return fail(ErrorKind::not_found, "find", '\'' + terminal_safe(given) + '\'',
                "the server has no such image; `beaconry fleet images list` shows those that it "
                "has");
  }
  return text_at(*found, "sha256");
}

Result<Json> label_patch(const std::vector<std::string>& changes) {
  Json patch = Json::object();
  for (const std::string& each : changes) {
    const std::size_t equals = each.find('=');
    if (equals != std::string::npos && equals > 0) {
      patch[utf8_valid(each.substr(0, equals))] = utf8_valid(each.substr(equals + 1));
    } else if (equals == std::string::npos && each.size() > 1 && each.back() == '-') {
      patch[utf8_valid(each.substr(0, each.size() - 1))] = nullptr;
    } else {
      return fail(ErrorKind::usage, "read", '\'' + terminal_safe(each) + '\'',
                  "write KEY=VALUE, or KEY- to remove a label");
    }
  }
  return patch;
}

}  // namespace beaconry
