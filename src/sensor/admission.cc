#include "sensor/admission.h"

#include <algorithm>

#include "base/text.h"
#include "bus/topics.h"
#include "sensor/network/tie_check.h"

namespace beaconry {
namespace {

std::string words(std::uint64_t bytes) {
  return bytes_in_words(static_cast<double>(bytes));
}

}  // namespace

std::uint64_t growth(const Manifest::Limits& limits, const VolumesUsed& used) {
  return limits.persistent - std::min(limits.persistent, used.persistent) + limits.transient -
         std::min(limits.transient, used.transient);
}

std::uint64_t copies(const ImageInfo& image) {
  return image.unpacked_bytes * 2;
}

Result<void> admit(const ImageInfo& image, const PoolSpace& space, std::uint64_t promised,
                   const VolumesUsed& used) {
  if (space.total == 0) return {};
  const std::uint64_t volumes = growth(image.manifest.limits, used), twice = copies(image);
  const std::uint64_t free = space.total - std::min(space.used, space.total);
  const std::uint64_t left = free - std::min(promised, free);
  if (volumes + twice <= left) return {};
  return fail(ErrorKind::limit, "install", image.manifest.name,
              "it needs " + words(volumes + twice) + " (volumes " + words(volumes) +
                  ", the image and its rollback copy " + words(twice) + "), and of the pool's " +
                  words(space.total) + " there are " + words(left) + " left (" + words(space.used) +
                  " used, " + words(promised) +
                  " promised to others); remove instruments or enlarge the pool");
}

Verdict judge(const ImageInfo& image, const Manifest* before, const InstanceWish& wish) {
  Verdict verdict;
  if (image.signed_by.empty() && !wish.allow_unsigned) {
    verdict.cause = "the image is not signed by a known key (" +
                    (image.signature_fault.empty() ? "no signature" : image.signature_fault) +
                    "); sign it ('beaconry instrument build --key') and copy the key's .pub to "
                    "/etc/beaconry/instrument-keys, or allow it at its install (--allow-unsigned; "
                    "in sensor.d allow_unsigned: true)";
    return verdict;
  }
  verdict.wants_approval =
      before != nullptr ? widened(*before, image.manifest) : dangerous_wishes(image.manifest);
  if (!verdict.wants_approval.empty() && wish.approved == permission_digest(image.manifest)) {
    verdict.wants_approval.clear();
  }
  if (!verdict.wants_approval.empty()) {
    std::string list;
    for (const std::string& one : verdict.wants_approval)
      list += (list.empty() ? "" : ", ") + one;
    verdict.cause = "it wants more than before (" + list + "); approve it by " +
                    "'beaconry instrument approve " + wish.name + "'";
    return verdict;
  }
  verdict.permitted = true;
  return verdict;
}

Result<void> check_interfaces(const std::vector<InterfaceWish>& wishes, const Manifest& manifest) {
  const auto refuse = [](const std::string& why) {
    return fail(ErrorKind::malformed, "", "", why);
  };
  for (const InterfaceWish& one : wishes) {
    const auto known = std::find_if(manifest.interfaces.begin(), manifest.interfaces.end(),
                                    [&](const auto& have) { return have.name == one.name; });
    if (known != manifest.interfaces.end()) {
      const auto fits = check_tie(one, *known, manifest);
      if (!fits) return refuse("interface " + terminal_safe(one.name) + ": " + fits.error().cause);
      continue;
    }
    std::string list;
    for (const auto& have : manifest.interfaces)
      list += (list.empty() ? "" : ", ") + have.name;
    return refuse("its manifest has no interface '" + terminal_safe(one.name) + "'" +
                  (list.empty() ? ": it has none" : "; it has " + list));
  }
  for (const auto& have : manifest.interfaces) {
    const bool given = std::any_of(wishes.begin(), wishes.end(),
                                   [&](const auto& one) { return one.name == have.name; });
    if (!given && !have.optional) {
      return refuse("its interface '" + have.name + "' is not given; name kind and parent");
    }
  }
  return {};
}

Result<void> check_config_of(const std::string& config_json, const Manifest& manifest) {
  if (config_json.empty()) return {};
  if (!manifest.config_schema_json.empty()) {
    return check_config(manifest.config_schema_json, config_json);
  }
  if (config_json == "{}") return {};
  return fail(ErrorKind::malformed, "", "", "it takes no configuration: its manifest has none");
}

Result<void> check_wish(const InstanceWish& wish, const Manifest& manifest) {
  const auto refuse = [&](const std::string& why) {
    return fail(ErrorKind::malformed, "take", wish.name, why);
  };
  const auto name = InstanceName::parse(wish.name);
  if (!name || name->instrument != manifest.name) {
    return refuse("the image is of '" + terminal_safe(manifest.name) + "'; call its instances " +
                  terminal_safe(manifest.name) + "_0, " + terminal_safe(manifest.name) + "_1");
  }
  if (const auto fits = check_interfaces(wish.interfaces, manifest); !fits) {
    return refuse(fits.error().cause);
  }
  if (!wish.config_json.empty() && manifest.config_schema_json.empty()) {
    const auto fits = check_config_of(wish.config_json, manifest);
    return fits ? Result<void>() : refuse(fits.error().cause);
  }
  return check_config_of(wish.config_json, manifest);
}

}  // namespace beaconry
