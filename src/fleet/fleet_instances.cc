#include <nlohmann/json.hpp>

#include "base/text.h"
#include "fleet/document_text.h"
#include "fleet/fleet.h"

namespace beaconry {
namespace {

using Json = nlohmann::json;

}  // namespace

Result<Fleet::Instance> Fleet::instance(const std::string& instance) const {
  const auto at = instance.find('@');
  if (at == std::string::npos)
    return fail(ErrorKind::usage, "find", "instance '" + terminal_safe(instance) + '\'',
                "name its sensor, too: beacon_0@SENSOR");
  const auto sensor = need(instance.substr(at + 1));
  if (!sensor) return tl::unexpected<Error>(sensor.error());
  Instance out{*sensor, instance.substr(0, at), {}};
  for (const DocumentInstance& one : (*sensor)->wish.instances()) {
    if (one.name == out.name) out.image = one.image;
  }
  return out;
}

Result<Fleet::Edited> Fleet::patch_instance(const Instance& at, const std::string& json,
                                            const std::string& who, Timestamp now) {
  Edit edit;
  edit.target = "sensor:" + at.sensor->fingerprint;
  edit.document = R"({"instances":{)" + text_of(at.name) + ':' + json + "}}";
  edit.is_patch = true;
  edit.who = who;
  return edit_locked(edit, now);
}

Result<Fleet::Edited> Fleet::act(const std::string& instance, Act act, const std::string& who,
                                 Timestamp now) {
  const std::lock_guard one(changing_);
  const auto at = this->instance(instance);
  if (!at) return tl::unexpected<Error>(at.error());
  if (at->image.empty())
    return fail(ErrorKind::not_found, "change", "instance " + terminal_safe(instance),
                "no layer of the fleet defines it");
  if (act != Act::restart)
    return patch_instance(*at, act == Act::start ? R"({"running":true})" : R"({"running":false})",
                          who, now);
  const Json json = Json::parse(at->sensor->wish.document(), nullptr, false);
  const auto& wished = json["instances"][at->name];
  const std::uint64_t restarts =
      wished.contains("restarts") ? wished["restarts"].get<std::uint64_t>() : 0;
  return patch_instance(*at, text_of(Json{{"restarts", restarts + 1}, {"running", true}}), who,
                        now);
}

Result<Fleet::Edited> Fleet::approve(const std::string& instance, const std::string& digest,
                                     const std::string& who, Timestamp now) {
  const std::lock_guard one(changing_);
  const auto at = this->instance(instance);
  if (!at) return tl::unexpected<Error>(at.error());
  return patch_instance(*at, text_of(Json{{"approved", digest}}), who, now);
}

}  // namespace beaconry
