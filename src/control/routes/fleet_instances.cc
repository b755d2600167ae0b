#include <nlohmann/json.hpp>

#include "base/text.h"
#include "control/answer.h"
#include "control/control.h"
#include "control/fleet_json.h"
#include "control/route.h"
#include "fleet/document_text.h"
#include "fleet/image_store.h"

namespace beaconry {
namespace {

HttpResponse act(Control& control, const RouteCall& call, Fleet::Act act) {
  return edited_answer(call, control.fleet().act(std::string(call.argument), act,
                                                 std::string(call.who), control.now()));
}
HttpResponse start(Control& control, const RouteCall& call) {
  return act(control, call, Fleet::Act::start);
}
HttpResponse stop(Control& control, const RouteCall& call) {
  return act(control, call, Fleet::Act::stop);
}
HttpResponse restart(Control& control, const RouteCall& call) {
  return act(control, call, Fleet::Act::restart);
}

HttpResponse approve(Control& control, const RouteCall& call) {
  const auto at = control.fleet().instance(std::string(call.argument));
  if (!at) return error_answer(at.error());
  const auto manifest = control.images().manifest(at->image);
  if (!manifest)
    return error_answer(409, "the server does not have its image, and cannot say what is approved");
  return edited_answer(
      call, control.fleet().approve(std::string(call.argument), permission_digest(*manifest),
                                    std::string(call.who), control.now()));
}

HttpResponse asked_answer(const Result<std::string>& id) {
  if (!id) return error_answer(id.error());
  return json_answer(R"({"id":")" + *id + "\"}", 202);
}

HttpResponse update(Control& control, const RouteCall& call) {
  const auto at = control.fleet().instance(std::string(call.argument));
  if (!at) return error_answer(at.error());
  return asked_answer(
      control.fleet().ask({at->sensor->fingerprint, "update", at->name, 0}, control.now()));
}

HttpResponse ask(Control& control, const RouteCall& call) {
  constexpr std::uint64_t kLog = 64 << 10, kLongestLog = 512 << 10;
  const auto sensor = control.fleet().need(std::string(call.argument));
  if (!sensor) return error_answer(sensor.error());
  const auto body = parse_object(call.request.body, "the body");
  if (!body) return error_answer(body.error());
  FleetAsks::Question question{(*sensor)->fingerprint, {}, {}, kLog};
  for (const auto& [key, value] : body->items()) {
    if (key == "what" && value.is_string()) {
      question.what = value.get<std::string>();
    } else if (key == "instance" && value.is_string()) {
      question.instance = value.get<std::string>();
    } else if (key == "bytes" && value.is_number_unsigned()) {
      question.bytes = std::min(value.get<std::uint64_t>(), kLongestLog);
    } else {
      return error_answer(400, '\'' + terminal_safe(key) +
                                   "' is not one of what, instance (texts) and bytes (a number)");
    }
  }
  if (question.what != "log" && question.what != "update")
    return error_answer(400, "'what' must be log or update");
  constexpr std::size_t kLongestName = 40;
  if (question.instance.empty() || question.instance.size() > kLongestName ||
      terminal_safe(question.instance) != question.instance)
    return error_answer(400, "'instance' is required: such as beacon_0");
  call.note.object = question.what + " of " + question.instance + '@' + (*sensor)->name;
  return asked_answer(control.fleet().ask(question, control.now()));
}

HttpResponse answer(Control& control, const RouteCall& call) {
  const auto found = control.fleet().asks().find(std::string(call.argument), control.now());
  if (!found) return error_answer(404, "no such question, or it was asked too long ago");
  return json_answer(json_text([&](JsonWriter& json) {
    json.begin();
    json.plain("state", to_string(found->state));
    json.name("answer");
    json.raw(found->answer.empty() ? "null" : found->answer);
    json.end();
  }));
}

#define BEACONRY_CHANGED "`{version: of the sensor's own layer, sensors, changed{}}`"

constexpr Route kRoutes[] = {
    {
        .method = "POST",
        .path = "/api/v1/fleet/instances/{instance}/start",
        .summary = "Wishes that an instance runs: beacon_0@SENSOR",
        .role = Role::operator_,
        .handle = start,
        .response = BEACONRY_CHANGED,
    },
    {
        .method = "POST",
        .path = "/api/v1/fleet/instances/{instance}/stop",
        .summary = "Wishes that an instance does not run",
        .role = Role::operator_,
        .handle = stop,
        .response = BEACONRY_CHANGED,
    },
    {
        .method = "POST",
        .path = "/api/v1/fleet/instances/{instance}/restart",
        .summary = "Starts an instance anew, also one that is BROKEN",
        .role = Role::operator_,
        .handle = restart,
        .response = BEACONRY_CHANGED,
    },
    {
        .method = "POST",
        .path = "/api/v1/fleet/instances/{instance}/approve",
        .summary = "Lets the image that an instance is wished to have do what it may not do yet",
        .role = Role::operator_,
        .handle = approve,
        .response = BEACONRY_CHANGED "; 409 where the server does not have the image",
    },
    {
        .method = "POST",
        .path = "/api/v1/fleet/instances/{instance}/update",
        .summary = "Has a sensor look for newer resources of an instance now",
        .role = Role::operator_,
        .handle = update,
        .response = "`{id}` of the question, for /api/v1/fleet/asks/{id}; status 202",
    },
    {
        .method = "POST",
        .path = "/api/v1/fleet/sensors/{name}/asks",
        .summary = "Asks a sensor for the end of an instance's log, or to look for updates",
        .role = Role::operator_,
        .handle = ask,
        .body = "`{what: log|update, instance, bytes}`; bytes: of the log, at most 512 KiB, 64 KiB "
                "by default",
        .response = "`{id}`, status 202; 409 where the sensor is away",
    },
    {
        .method = "GET",
        .path = "/api/v1/fleet/asks/{id}",
        .summary = "What became of a question, for five minutes",
        .role = Role::operator_,
        .handle = answer,
        .response = "`{state: waiting|answered|expired, answer{ok, text, error}}`; it expires "
                    "after 30 s",
    },
};

}  // namespace

namespace resources {
extern constinit const Resource fleet_instances{"fleet_instances", kRoutes};
}
}  // namespace beaconry
