#include "control/answer.h"
#include "control/control.h"
#include "control/route.h"

namespace beaconry {
namespace {

HttpResponse run(Control& control, const RouteCall&) {
  const auto done = control.analysis().run();
  if (!done) {
    return busy_answer(std::string(Analysis::kBusy) + "; its result is in /api/v1/beacons");
  }
  return json_answer(json_text([&](JsonWriter& json) {
    json.begin();
    json.plain("status", "completed");
    json.begin("run");
    json.plain("run_id", done->run_id);
    json.plain("start_time", to_rfc3339(done->start));
    json.plain("end_time", to_rfc3339(done->end));
    json.number("duration_seconds", done->seconds);
    json.whole("pairs_analyzed", done->pairs_analyzed);
    json.whole("pairs_suppressed", done->pairs_suppressed);
    json.whole("beacons_detected", done->beacons_detected);
    json.whole("alerts_generated", done->alerts_generated);
    json.whole("pairs_skipped", done->pairs_skipped);
    json.begin_list("errors");
    for (const std::string& error : done->errors)
      json.text(error);
    json.end_list();
    json.end();
    json.whole("beacons_found", done->beacons_detected);
    json.end();
  }));
}

constexpr Route kRoutes[] = {{
    .method = "POST",
    .path = "/api/v1/analyze",
    .summary = "Analyses now and says what came of it",
    .role = Role::analyst,
    .handle = run,
    .response = "`{status, run{run_id, start_time, end_time, duration_seconds, pairs_analyzed, "
                "pairs_suppressed, beacons_detected, alerts_generated, pairs_skipped, errors}, "
                "beacons_found}`",
}};

}  // namespace

namespace resources {
extern constinit const Resource analyze{"analyze", kRoutes};
}
}  // namespace beaconry
