#include "control/answer.h"
#include "control/control.h"
#include "control/route.h"
#include "uplink/signed_report.h"

namespace beaconry {
namespace {

HttpResponse take_out(Control& control, const RouteCall& call) {
  const auto sensor = control.fleet().need(std::string(call.argument));
  if (!sensor) return error_answer(sensor.error());
  auto message = control.fleet().signed_document(**sensor);
  if (!message) return error_answer(message.error());
  HttpResponse response;
  response.content_type = "text/plain; charset=utf-8";
  constexpr std::size_t kShown = 16;
  response.headers.emplace_back("content-disposition",
                                "attachment; filename=\"desired-" +
                                    (*sensor)->fingerprint.substr(0, kShown) + "-" +
                                    std::to_string((*sensor)->wish.version) + ".txt\"");
  response.headers.emplace_back("cache-control", "no-store");
  response.body = std::move(*message);
  return response;
}

HttpResponse bring_in(Control& control, const RouteCall& call) {
  const auto sensor = control.fleet().need(std::string(call.argument));
  if (!sensor) return error_answer(sensor.error());
  const auto report = check_signed_report(call.request.body);
  if (!report) return error_answer(400, report.error().message());
  if (report->sensor != (*sensor)->fingerprint)
    return error_answer(400, "it is signed by another sensor: " + report->sensor.substr(0, 16));
  const auto taken = control.fleet().hear_file(report->sensor, report->body, control.now());
  if (!taken) return error_answer(400, taken.error().message());
  const bool stale = taken->heard == SensorIdentity::Heard::stale;
  return json_answer(json_text([&](JsonWriter& json) {
    json.begin();
    json.plain("status", stale ? "older than what is known" : "taken");
    json.whole("desired_version", taken->desired_version);
    json.end();
  }));
}

constexpr Route kRoutes[] = {
    {
        .method = "GET",
        .path = "/api/v1/fleet/sensors/{name}/file",
        .summary = "What a sensor shall be, signed, to be carried to it",
        .role = Role::operator_,
        .handle = take_out,
        .response = "`text/plain`: the signed document of docs/formats/fleet.md",
    },
    {
        .method = "POST",
        .path = "/api/v1/fleet/sensors/{name}/file",
        .summary = "What a sensor is, signed by it and carried here",
        .role = Role::operator_,
        .handle = bring_in,
        .body = "the signed report of docs/formats/fleet.md, as it is",
        .response = "`{status, desired_version}`",
        .most_body = kLongestSignedReport,
    },
};

}  // namespace

namespace resources {
extern constinit const Resource fleet_file{"fleet_file", kRoutes};
}
}  // namespace beaconry
