#include <nlohmann/json.hpp>

#include "base/text.h"
#include "control/answer.h"
#include "control/control.h"
#include "control/fleet_json.h"
#include "control/query.h"
#include "control/route.h"
#include "fleet/document_text.h"

namespace beaconry {
namespace {

std::vector<std::string> names_in(const LayerBook::Group& group) {
  std::vector<std::string> names;
  if (!group.json) return names;
  const auto json = nlohmann::json::parse(*group.json, nullptr, false);
  if (!json.is_object() || !json.contains("instances")) return names;
  for (const auto& [name, instance] : json["instances"].items())
    names.push_back(name);
  return names;
}

std::string group_text(const FleetGroups::Group& group) {
  return text_of({{"selector", group.selector.to_string()}, {"priority", group.priority}});
}

HttpResponse list(Control& control, const RouteCall&) {
  const Fleet& fleet = control.fleet();
  const auto book = fleet.book();
  const auto sensors = fleet.sensors();
  return json_answer(json_text([&](JsonWriter& json) {
    json.begin();
    json.begin_list("groups");
    for (const LayerBook::Group& each : book->groups()) {
      std::size_t reached = 0;
      for (const Fleet::Found& sensor : sensors)
        reached += each.group.selector.matches(sensor->labels) ? 1 : 0;
      json.begin();
      json.text("name", each.group.name);
      json.text("selector", each.group.selector.to_string());
      json.name("priority");
      json.raw(std::to_string(each.group.priority));
      json.whole("sensors", reached);
      json.whole("version", fleet.layer_version("group:" + each.group.name));
      json.begin_list("instances");
      for (const std::string& name : names_in(each))
        json.text(name);
      json.end_list();
      json.end();
    }
    json.end_list();
    json.end();
  }));
}

HttpResponse put(Control& control, const RouteCall& call) {
  const auto body = parse_object(call.request.body, "the body");
  if (!body) return error_answer(body.error());
  FleetGroups::Group group;
  group.name = std::string(call.argument);
  bool has_selector = false, dry_run = false;
  for (const auto& [key, value] : body->items()) {
    if (key == "selector") {
      if (!value.is_string()) return error_answer(400, "'selector' is no text");
      auto selector = Selector::parse(value.get_ref<const std::string&>());
      if (!selector) return error_answer(selector.error());
      group.selector = std::move(*selector);
      has_selector = true;
    } else if (key == "priority") {
      constexpr std::int64_t kMost = 1'000'000;
      if (!value.is_number_integer() || value < -kMost || value > kMost)
        return error_answer(400, "'priority' is no whole number up to 1,000,000");
      group.priority = value.get<std::int64_t>();
    } else if (key == "dry_run") {
      if (!value.is_boolean()) return error_answer(400, "'dry_run' is neither true nor false");
      dry_run = value.get<bool>();
    } else {
      return error_answer(
          400, '\'' + terminal_safe(key) + "' is not one of selector, priority, dry_run");
    }
  }
  if (!has_selector) return error_answer(400, "'selector' is required: such as site=oulu");
  const auto before = control.fleet().book();
  if (const auto* held = before->group(group.name)) call.note.before = group_text(held->group);
  if (dry_run) call.note.object = group.name + " (a trial)";
  const auto done = control.fleet().set_group(group, control.now(), dry_run);
  if (!done) return error_answer(done.error());
  call.note.after = group_text(group);
  if (dry_run) return effect_answer(*done);
  return json_answer(R"({"status":"kept"})");
}

HttpResponse remove(Control& control, const RouteCall& call) {
  Query query(call.request);
  const bool dry_run = query.flag("dry_run");
  if (query.refusal()) return *query.refusal();
  const auto before = control.fleet().book();
  if (const auto* held = before->group(call.argument)) call.note.before = group_text(held->group);
  if (dry_run) call.note.object = std::string(call.argument) + " (a trial)";
  const auto done = control.fleet().remove_group(std::string(call.argument), std::string(call.who),
                                                 control.now(), dry_run);
  if (!done) return error_answer(done.error());
  return dry_run ? effect_answer(*done) : json_answer(R"({"status":"removed"})");
}

constexpr RouteParameter kTrial[] = {{"dry_run", "boolean", "only tell what would change"}};

constexpr Route kRoutes[] = {
    {
        .method = "GET",
        .path = "/api/v1/fleet/groups",
        .summary = "Groups of sensors, in the order of their layers",
        .handle = list,
        .response = "`{groups: [{name, selector, priority, sensors: how many fit, version: of its "
                    "layer, instances[]: that its layer speaks of}]}`",
    },
    {
        .method = "PUT",
        .path = "/api/v1/fleet/groups/{name}",
        .summary = "Makes a group of the sensors whose labels fit, or changes it",
        .role = Role::operator_,
        .handle = put,
        .body = "`{selector, priority, dry_run}`; selector such as `site=oulu,!spare`; priority, "
                "0 by default: the higher one's layer is the later; dry_run: nothing changes",
        .response = "`{status}`, to a trial `{sensors, changed{}, lost[]}` as of a layer; 400 "
                    "where its layer does not fit the others of a sensor",
    },
    {
        .method = "DELETE",
        .path = "/api/v1/fleet/groups/{name}",
        .summary = "Removes a group, and its layer from what sensors shall be",
        .role = Role::operator_,
        .handle = remove,
        .parameters = kTrial,
        .response = "`{status}`, to a trial `{sensors, changed{}, lost[]}` as of a layer; 409 "
                    "while a rollout of it is under way",
    },
};

}  // namespace

namespace resources {
extern constinit const Resource fleet_groups{"fleet_groups", kRoutes};
}
}  // namespace beaconry
