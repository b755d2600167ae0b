#include "base/text.h"
#include "control/answer.h"
#include "control/control.h"
#include "control/own_sensor.h"
#include "control/predecessor_batch.h"
#include "control/query.h"
#include "control/route.h"
#include "uplink/zstd_frame.h"

namespace beaconry {
namespace {

constexpr std::size_t kAround = 4096;  // boot, machine and sequence around a report

HttpResponse stream(Control& control, const RouteCall& call) {
  if (auto refused = refuse_others(control, call)) return std::move(*refused);
  Query query(call.request);
  const std::uint64_t after = query.count("after", 0, 0, FleetStore::kMostVersion - 1);
  if (query.refusal()) return *query.refusal();
  auto events = control.fleet().listen(std::string(call.who), after, control.now());
  if (!events) return error_answer(events.error());
  HttpResponse response;
  response.content_type = "text/event-stream";
  response.headers.emplace_back("cache-control", "no-store");
  response.events = std::move(*events);
  return response;
}

Result<std::string> unpacked(HttpRequest& request) {
  const std::string encoding = ascii_lower(request.header("content-encoding"));
  if (encoding.empty() || encoding == "identity") return std::move(request.body);
  if (encoding == "gzip" || encoding == "x-gzip")
    return gunzip(request.body, kLongestReport + kAround);
  if (encoding == "zstd") {
    const auto plain = uplink::decompress(request.body, kLongestReport + kAround);
    if (!plain) return tl::unexpected<Error>(plain.error());
    return std::string(plain->view());
  }
  return fail(ErrorKind::unsupported, "read", "the report",
              "content-encoding must be zstd or gzip, or none");
}

HttpResponse report(Control& control, const RouteCall& call) {
  if (auto refused = refuse_others(control, call)) return std::move(*refused);
  const auto text = unpacked(call.request);
  // Too long, unpacked or not, is the sender's fault: no room was missing here.
  if (!text) return error_answer(400, text.error().message());
  const auto taken = control.fleet().hear(std::string(call.who), *text,
                                          call.request.peer.address.to_string(), control.now());
  if (!taken) {
    return taken.error().kind == ErrorKind::limit ? error_answer(400, taken.error().message())
                                                  : error_answer(taken.error());
  }
  return json_answer(json_text([&](JsonWriter& json) {
    json.begin();
    json.whole("desired_version", taken->desired_version);
    json.plain("now", to_rfc3339(control.now()));
    json.end();
  }));
}

HttpResponse answer(Control& control, const RouteCall& call) {
  if (auto refused = refuse_others(control, call)) return std::move(*refused);
  auto done = control.fleet().answer(std::string(call.who), std::string(call.argument),
                                     call.request.body, control.now());
  if (done) return json_answer(R"({"status":"taken"})");
  return done.error().kind == ErrorKind::limit ? error_answer(400, done.error().message())
                                               : error_answer(done.error());
}

constexpr RouteParameter kAfter[] = {{"after", "integer", "the version that the sensor has; 0"}};

constexpr Route kRoutes[] = {
    {
        .method = "GET",
        .path = "/api/v1/fleet/self/stream",
        .summary = "What a sensor shall be, as soon as it changes; by its key",
        .role = Role::ingest,
        .handle = stream,
        .parameters = kAfter,
        .response = "`text/event-stream` of `desired` (the signed document of "
                    "docs/formats/fleet.md, where it is newer) and `ask` (`{id, what, instance, "
                    "bytes}`); a second stream of the same key ends the first",
    },
    {
        .method = "PUT",
        .path = "/api/v1/fleet/self/reported",
        .summary = "What a sensor is; by its key",
        .role = Role::ingest,
        .handle = report,
        .body = "`{boot, machine, sequence, reported{}}`, also with Content-Encoding zstd or "
                "gzip; docs/formats/fleet.md",
        .response = "`{desired_version, now}`",
        .most_body = kLongestReport + kAround,
    },
    {
        .method = "PUT",
        .path = "/api/v1/fleet/self/answers/{id}",
        .summary = "What a sensor answers to an `ask` of its stream; by its key",
        .role = Role::ingest,
        .handle = answer,
        .body = "`{ok, text}` or `{ok, error}`, at most 1 MiB",
        .response = "`{status}`; 404 where it was not asked, or too late",
        .most_body = FleetAsks::kLongestAnswer,
    },
};

}  // namespace

namespace resources {
extern constinit const Resource fleet_self{"fleet_self", kRoutes};
}
}  // namespace beaconry
